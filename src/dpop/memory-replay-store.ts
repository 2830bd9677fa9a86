/**
 * The replay store of a single instance. It refuses when it is full instead of forgetting, because
 * a forgotten proof is an accepted replay.
 */

import { Denial } from '../denial.ts'
import { createGenerations, monotonicSeconds } from './generations.ts'
import { type ReplayStore, replayKey } from './replay.ts'

export interface MemoryReplayStoreOptions {
  /** Most proofs remembered at a time, at most 16 million (a `Set` holds no more than 2^24). */
  readonly maxEntries: number
  /** Monotonic seconds. Default is the clock of this process. */
  readonly monotonic?: () => number
}

export function createMemoryReplayStore({
  maxEntries,
  monotonic = monotonicSeconds,
}: MemoryReplayStoreOptions): ReplayStore {
  const seen = createGenerations(() => new Set<string>(), monotonic)

  function take(key: string, ttlSeconds: number): boolean {
    seen.turn(ttlSeconds)
    if (seen.fresh.has(key) || seen.old.has(key)) return false
    if (seen.fresh.size + seen.old.size >= maxEntries) {
      throw new Denial('replay_store_unavailable', { detail: 'full' })
    }
    seen.fresh.add(key)
    return true
  }

  return {
    claim: ({ thumbprint, jti, ttlSeconds }) => ({
      isFirst: take(replayKey(thumbprint, jti), ttlSeconds),
      rememberedSince: -Infinity,
    }),
  }
}
