/**
 * For a change of configuration after which proofs are accepted for longer: what was remembered
 * before the change is forgotten too soon for that, so it is refused from then on. Pure.
 */

import { andThen } from '../eventual.ts'
import type { ReplayStore } from './replay.ts'

export interface ReplaySpan {
  readonly store: ReplayStore
  /**
   * Proofs, or nonces, were accepted for so long until now and will be for longer. All proofs
   * claimed so far were remembered for at least that. `at` is in epoch seconds; default is now.
   */
  readonly lengthen: (fromSeconds: number, at?: number) => void
}

/** `clock` is in epoch seconds, whole. */
export function createReplaySpan(store: ReplayStore, clock: () => number): ReplaySpan {
  let changedAt = -Infinity
  let keptSeconds = Infinity
  return {
    lengthen(fromSeconds, at = clock()) {
      changedAt = Math.max(changedAt, at)
      // The smallest is right for all changes, and only what is from before the last is refused.
      keptSeconds = Math.min(keptSeconds, fromSeconds)
    },
    store: {
      claim: (claim) =>
        andThen(store.claim(claim), (claimed) => {
          if (changedAt === -Infinity) return claimed
          // A proof may be dated ahead of when it was claimed, by less than it was kept.
          const forgotten = Math.min(changedAt + keptSeconds, clock() - keptSeconds)
          return { ...claimed, rememberedSince: Math.max(claimed.rememberedSince, forgotten) }
        }),
    },
  }
}
