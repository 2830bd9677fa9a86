/** A real redis-server of a test's own, on loopback, without persistence, gone when the test is. */

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { createInterface } from 'node:readline'
import type { Owner } from './owner.ts'

/** Whether there is a redis-server to start. Tests that need one have `{ skip: redisMissing }`. */
const redisAvailable = spawnSync('redis-server', ['--version']).status === 0
export const redisMissing = redisAvailable ? false : 'redis-server is not installed'

// scripts/test.ts reads it and says at the end what was not run.
const skippedFile = process.env['SKIPPED_TESTS_FILE']
if (!redisAvailable && skippedFile !== undefined) {
  appendFileSync(skippedFile, `${relative('.', process.argv[1] ?? 'unknown')}\n`)
}

export interface TestRedis {
  readonly url: string
  readonly port: number
  readonly pid: number
  /** Ends it the hard way, as a crash would. */
  stop(): Promise<void>
  /** Starts it anew on the same port, empty. */
  start(): Promise<void>
  /** Stops it from answering, while its connections stay open. */
  freeze(): void
  thaw(): void
}

export async function startRedis(t: Owner, args: readonly string[] = []): Promise<TestRedis> {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'redis-'))
  const spawnEmpty = () => {
    rmSync(folder, { recursive: true })
    mkdirSync(folder)
    return spawnRedis(port, ['--dir', folder, ...args])
  }
  let server = await spawnEmpty()

  async function stop(): Promise<void> {
    if (server.exitCode !== null || server.signalCode !== null) return
    const exit = once(server, 'exit')
    server.kill('SIGKILL')
    await exit
  }
  t.teardown(async () => {
    await stop()
    rmSync(folder, { recursive: true, force: true })
  })

  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return server.pid ?? Number.NaN
    },
    stop,
    async start() {
      await stop()
      server = await spawnEmpty()
    },
    freeze: () => void server.kill('SIGSTOP'),
    thaw: () => void server.kill('SIGCONT'),
  }
}

async function spawnRedis(port: number, args: readonly string[]): Promise<ChildProcess> {
  const own = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const server = spawn('redis-server', [...own, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface(server.stdout)) {
    if (!line.includes('Ready to accept connections')) continue
    // Whatever it logs from here on must not block it.
    server.stdout.resume()
    return server
  }
  throw new Error(`redis-server did not start on port ${port}`)
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}
