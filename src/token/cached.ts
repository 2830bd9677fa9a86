/**
 * Remembers verified tokens, so that a token costs its verification once and not at every request.
 * Refusals are never kept among them: whoever sends garbage pushes nobody's token out.
 */
import { LRUCache } from 'lru-cache'
import type { AccessToken, VerifyToken } from './access-token.ts'

export interface VerifiedToken {
  readonly accessToken: AccessToken
  /** Whether what the verdict rests on still stands. Asked at every use of a kept token. */
  readonly isTrusted: (now: number) => boolean
}

/** Verifies a token from scratch; `now` is in epoch seconds. Throws as VerifyToken does. */
export type VerifyFresh = (token: string, now: number) => Promise<VerifiedToken>

export interface TokenCache {
  /** The token, if it is kept and still good. The same object every time. */
  readonly recall: (hash: string, now: number) => AccessToken | undefined
  /** Recalls the token, or verifies and keeps it. */
  readonly verify: VerifyToken
}

export interface CacheOptions {
  /** Most tokens that are kept; the least recently used one goes first. Default is 10000. */
  readonly maxEntries?: number
}

/** Of all claims that are kept, in characters of JSON: an issuer may write long ones. */
const MAX_SIZE = 64 * 1024 * 1024

function sizeOf({ accessToken }: VerifiedToken): number {
  return JSON.stringify(accessToken.claims).length
}

export function cacheTokens(verify: VerifyFresh, options: CacheOptions = {}): TokenCache {
  const kept = new LRUCache<string, VerifiedToken>({
    max: options.maxEntries ?? 10_000,
    maxSize: MAX_SIZE,
    sizeCalculation: sizeOf,
  })
  const underWay = new Map<string, Promise<AccessToken>>()

  function recall(hash: string, now: number): AccessToken | undefined {
    const known = kept.get(hash)
    if (!known || now >= known.accessToken.expiresAt || !known.isTrusted(now)) return undefined
    return known.accessToken
  }

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

  return {
    recall,
    async verify(token, hash, now) {
      const known = recall(hash, now)
      if (known) return known
      // Many requests with one new token share its verification.
      const verification = underWay.get(hash) ?? verifyAndKeep(token, hash, now)
      underWay.set(hash, verification)
      return verification
    },
  }
}
