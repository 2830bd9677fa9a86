/**
 * Caps what one key may put into the replay store, so that a single client that floods it with
 * proofs is refused before it fills the store for everybody. Counts are per instance and over the
 * last one to two windows: behind n instances a key gets up to n times the cap.
 */

import { Denial } from '../denial.ts'
import { andThen, attempt } from '../eventual.ts'
import { createGenerations, monotonicSeconds } from './generations.ts'
import type { ReplayStore } from './replay.ts'

export interface KeyLimit {
  /** Most proofs of one key remembered at a time. */
  readonly maxEntriesPerKey: number
  /** Whose share a proof counts into. Default is its key. */
  readonly shareOf?: (thumbprint: string) => string
  /** Monotonic seconds. Default is the clock of this process. */
  readonly monotonic?: () => number
}

export function limitPerKey(
  store: ReplayStore,
  { maxEntriesPerKey, shareOf = (key) => key, monotonic = monotonicSeconds }: KeyLimit,
): ReplayStore {
  const counts = createGenerations(() => new Map<string, number>(), monotonic)

  return {
    claim(claim) {
      counts.turn(claim.ttlSeconds)
      const { fresh, old } = counts
      const share = shareOf(claim.thumbprint)
      if (count(fresh, share) + count(old, share) >= maxEntriesPerKey) {
        throw new Denial('overloaded', { detail: 'too many proofs of one key' })
      }

      // Counted before the answer is in, or many claims at once would all pass below the cap.
      add(fresh, share, 1)
      const claimed = attempt(
        () => store.claim(claim),
        (error) => {
          add(fresh, share, -1)
          throw error
        },
      )
      return andThen(claimed, (it) => {
        if (!it.isFirst) add(fresh, share, -1)
        return it
      })
    },
  }
}

function count(counts: ReadonlyMap<string, number>, share: string): number {
  return counts.get(share) ?? 0
}

function add(counts: Map<string, number>, share: string, by: 1 | -1): void {
  const sum = count(counts, share) + by
  if (sum === 0) counts.delete(share)
  else counts.set(share, sum)
}
