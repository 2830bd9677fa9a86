/**
 * Remembers verified tokens, so that a token costs its verification once and not at every request.
 * Refusals are never kept: whoever sends garbage fills nothing and pushes nobody's token out.
 */
import { LRUCache } from 'lru-cache'
import type { AccessToken, VerifyToken } from './access-token.ts'

export interface VerifiedToken {
  readonly accessToken: AccessToken
  /** Whether what the verdict rests on still stands. Asked at every use of a kept token. */
  readonly isTrusted: () => boolean
}

/** Verifies a token from scratch; `now` is in epoch seconds. Throws as VerifyToken does. */
export type VerifyFresh = (token: string, now: number) => Promise<VerifiedToken>

export interface CacheOptions {
  /** Most tokens that are kept; the least recently used one goes first. Default is 10000. */
  readonly maxEntries?: number
}

/** While a token is kept, the answer for it is the same object every time. */
export function cacheTokens(verify: VerifyFresh, options: CacheOptions = {}): VerifyToken {
  const kept = new LRUCache<string, VerifiedToken>({ max: options.maxEntries ?? 10_000 })
  const underWay = new Map<string, Promise<AccessToken>>()

  async function verifyAndKeep(token: string, hash: string, now: number): Promise<AccessToken> {
    kept.delete(hash)
    try {
      const verified = await verify(token, now)
      kept.set(hash, verified)
      return verified.accessToken
    } finally {
      underWay.delete(hash)
    }
  }

  return async (token, hash, now) => {
    const known = kept.get(hash)
    if (known && now < known.accessToken.expiresAt && known.isTrusted()) return known.accessToken
    // Many requests with one new token share its verification.
    const verification = underWay.get(hash) ?? verifyAndKeep(token, hash, now)
    underWay.set(hash, verification)
    return verification
  }
}
