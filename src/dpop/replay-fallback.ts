/**
 * `replay.onOutage: local`: while the store that instances share is out of reach, each goes by what
 * it has seen itself. A proof can then be used once at every instance, which the operator has chosen
 * over refusing everything.
 */

import { Denial } from '../denial.ts'
import type { ReplayStore } from './replay.ts'

export function fallBackToLocal(shared: ReplayStore, local: ReplayStore): ReplayStore {
  return {
    async claim(thumbprint, jti, ttlSeconds) {
      // Also while all is well, so that an outage does not open what was used before it.
      if (!(await local.claim(thumbprint, jti, ttlSeconds))) return false
      try {
        return await shared.claim(thumbprint, jti, ttlSeconds)
      } catch (error) {
        if (error instanceof Denial && error.code === 'replay_store_unavailable') return true
        throw error
      }
    },
  }
}
