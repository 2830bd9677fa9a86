/** What an instance goes by while the store that all share is out of reach (`replay.onOutage`). */

import { Denial } from '../denial.ts'
import type { Claim, Claimed, ReplayStore } from './replay.ts'

/** Oldest nonce taken in an outage. */
const MAX_NONCE_AGE_SECONDS = 10

/**
 * `local`: by what it has seen itself. A proof can then be used once at every instance, which the
 * operator has chosen over refusing everything.
 */
export function fallBackToLocal(shared: ReplayStore, local: ReplayStore): ReplayStore {
  return {
    async claim(claim) {
      // Also while all is well, so that an outage does not open what was used before it.
      const own = await local.claim(claim)
      if (!own.isFirst) return own
      try {
        return await shared.claim(claim)
      } catch (error) {
        if (isOutage(error)) return own
        throw error
      }
    },
  }
}

/**
 * `nonce`: by nonces made since the outage began, seconds ago at most. What was used before it holds
 * none of those, and what this instance takes meanwhile it remembers itself. Once the store is back,
 * what was made up to then is refused, as it does not know what was used.
 *
 * Not guaranteed: at another instance, in the outage itself or never touched by it, a proof taken
 * here can be used once more. `clock` is in epoch seconds, whole.
 */
export function fallBackToNonces(
  shared: ReplayStore,
  local: ReplayStore,
  clock: () => number,
): ReplayStore {
  let outageSince: number | undefined
  let lastOutageUntil = -Infinity
  // Of the proofs taken in an outage: how long the one to be remembered longest is.
  let longestSeconds = 0

  async function claimAlone(claim: Claim, fault: Denial): Promise<Claimed> {
    const now = clock()
    outageSince = Math.min(outageSince ?? now, now)
    // A nonce of this second may be from before the outage, and there is no newer one yet.
    if (now <= outageSince) throw fault
    lastOutageUntil = now
    const { nonceMadeAt = -Infinity } = claim
    if (nonceMadeAt <= outageSince || now - nonceMadeAt > MAX_NONCE_AGE_SECONDS) {
      throw new Denial('proof_nonce', { detail: 'the replay store is out of reach', cause: fault })
    }
    longestSeconds = Math.max(longestSeconds, claim.ttlSeconds)
    return local.claim(claim)
  }

  /** One dated ahead may seem to be from after the outage once its nonce has expired. */
  async function wasTakenAlone(claim: Claim, now: number): Promise<boolean> {
    if (now > lastOutageUntil + longestSeconds) return false
    return !(await local.claim(claim)).isFirst
  }

  return {
    async claim(claim) {
      let claimed: Claimed
      try {
        claimed = await shared.claim(claim)
      } catch (error) {
        if (isOutage(error)) return claimAlone(claim, error)
        throw error
      }
      outageSince = undefined
      if (lastOutageUntil === -Infinity) return claimed
      const now = clock()
      // The clock has been set back.
      lastOutageUntil = Math.min(lastOutageUntil, now)
      const rememberedSince = Math.max(claimed.rememberedSince, lastOutageUntil)
      const isFirst = claimed.isFirst && !(await wasTakenAlone(claim, now))
      return { isFirst, rememberedSince }
    },
  }
}

function isOutage(error: unknown): error is Denial {
  return error instanceof Denial && error.code === 'replay_store_unavailable'
}
