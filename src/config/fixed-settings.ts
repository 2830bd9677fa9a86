/** What belongs to the process and not to its rules: it is read at start, and a reload cannot change it. */
import { isDeepStrictEqual } from 'node:util'
import type { Config } from './schema.ts'

type Setting = readonly [key: string, read: (config: Config) => unknown]

const FIXED: readonly Setting[] = [
  ['server.listen', ({ server }) => server.listen],
  ['server.tls', ({ server }) => server.tls !== undefined],
  ['server.http2', ({ server }) => server.http2],
  ['server.limits.headerBytes', ({ server }) => server.limits.headerBytes],
  ['server.limits.headerCount', ({ server }) => server.limits.headerCount],
  ['server.limits.connections', ({ server }) => server.limits.connections],
  ['server.limits.pipelined', ({ server }) => server.limits.pipelined],
  ['server.limits.eventLoopDelay', ({ server }) => server.limits.eventLoopDelay],
  ['server.timeouts', ({ server }) => server.timeouts],
  ['server.workers', ({ server }) => server.workers],
  ['server.watch', ({ server }) => server.watch],
  ['admin', ({ admin }) => admin],
  ['log', ({ log }) => log],
  // Another store would not know of the proofs that were used before.
  ['replay', ({ replay }) => replay],
]

/** Throws where the two differ in a key for which the process would have to be started anew. */
export function requireSameProcess(from: Config, to: Config): void {
  const changed = FIXED.filter(([, read]) => !isDeepStrictEqual(read(from), read(to)))
  if (changed.length === 0) return
  const keys = changed.map(([key]) => key).join(', ')
  throw new Error(`${keys}: read at start alone, so restart, or take the change back`)
}
