/** What a load found out: how many answers of which status, and how long they took. */
import type { Answer } from './connection.ts'

export interface Load {
  readonly port: number
  /** Each is sent once. */
  readonly requests: readonly Uint8Array[]
  readonly connections: number
  /** The status every answer must have. */
  readonly expected: number
}

export interface LoadResult {
  readonly seconds: number
  /** Milliseconds, in rising order. */
  readonly latencies: Float64Array
  /** Milliseconds the generator itself was late with a request, in rising order; open loop only. */
  readonly lateness?: Float64Array
}

/** Fails at the first answer of another status: a fast wrong answer would be worth nothing. */
export function requireStatus(answer: Answer, expected: number): void {
  if (answer.status === expected) return
  throw new Error(`expected a ${expected}, but was answered ${answer.head}`)
}

/** The nearest rank: the value that `share` of all are no greater than. */
export function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}
