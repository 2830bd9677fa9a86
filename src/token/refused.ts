/**
 * Remembers for a few seconds which tokens an issuer refused, so that a client that goes on sending
 * one does not make the gateway ask each time. Bounded: a flood of made-up tokens pushes out its own.
 */
import { LRUCache } from 'lru-cache'
import { Denial, REFUSALS, type Refusal } from '../denial.ts'
import { processTiming, type Timing } from '../issuer/timing.ts'
import type { TokenCache } from './cached.ts'

export interface RefusedOptions {
  readonly forMs: number
  readonly timing?: Pick<Timing, 'monotonic'>
}

const MAX_ENTRIES = 10_000

export function rememberRefused(tokens: TokenCache, options: RefusedOptions): TokenCache {
  const { forMs, timing = processTiming } = options
  const refused = new LRUCache<string, { readonly denial: Denial; readonly until: number }>({
    max: MAX_ENTRIES,
  })
  return {
    recall: tokens.recall,
    async verify(token, hash, now) {
      const known = refused.get(hash)
      if (known && timing.monotonic() < known.until) throw known.denial
      const until = timing.monotonic() + forMs
      try {
        return await tokens.verify(token, hash, now)
      } catch (error) {
        if (isVerdict(error)) refused.set(hash, { denial: error, until })
        throw error
      }
    },
  }
}

/** Not that the issuer could not be asked, which says nothing about the token. */
function isVerdict(error: unknown): error is Denial {
  if (!(error instanceof Denial)) return false
  const { error: kind }: Refusal = REFUSALS[error.code]
  return kind === 'invalid_token'
}
