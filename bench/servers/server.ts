/** A server of a benchmark, and who starts and stops it. */
import { freePort } from '../../test/support/redis.ts'
import { run, type Command, type Running } from '../process.ts'

export { freePort }

export interface Server extends Running {
  readonly port: number
}

export async function serve(port: number, command: Command): Promise<Server> {
  return { ...(await run(command)), port }
}
