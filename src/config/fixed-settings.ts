/** What belongs to the process and not to its rules: it is read at start, and a reload cannot change it. */
import { isDeepStrictEqual } from 'node:util'
import type { Config } from './schema.ts'

type Setting = readonly [key: string, read: (config: Config) => unknown]

const FIXED: readonly Setting[] = [
  ['server.listen', ({ server }) => server.listen],
  ['server.tls', ({ server }) => server.tls !== undefined],
  ['server.http2', ({ server }) => server.http2],
  ['server.limits', ({ server }) => server.limits],
  ['server.timeouts', ({ server }) => server.timeouts],
  ['server.workers', ({ server }) => server.workers],
  ['server.watch', ({ server }) => server.watch],
  ['admin', ({ admin }) => admin],
  ['log', ({ log }) => log],
  // Another store would not know of the proofs that were used before.
  ['replay', ({ replay }) => replay],
]

/** Keys in which the two differ although the process would have to be started anew for that. */
export function changedFixedSettings(from: Config, to: Config): readonly string[] {
  return FIXED.filter(([, read]) => !isDeepStrictEqual(read(from), read(to))).map(([key]) => key)
}
