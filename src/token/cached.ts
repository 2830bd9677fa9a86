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
  /**
   * Most tokens that are kept; the least recently used one goes first. Default is 120000. One takes
   * about 900 bytes with claims of 250 characters, and the key of its client 2.5 KB for as long.
   */
  readonly maxEntries?: number
}

const MAX_ENTRIES = 120_000
/** Of all that are kept, in bytes: an issuer may write long claims, and fewer fit then. */
const MAX_SIZE = 128 * 1024 * 1024
/** Of a token besides the text of its claims: the objects they are read into, and the entry. */
const OVERHEAD = 650

/** As JSON each time, but a token is kept once and that costs a hundredth of its verification. */
function sizeOf({ accessToken }: VerifiedToken): number {
  return OVERHEAD + JSON.stringify(accessToken.claims).length
}

export function cacheTokens(verify: VerifyFresh, options: CacheOptions = {}): TokenCache {
  const kept = new LRUCache<string, VerifiedToken>({
    max: options.maxEntries ?? MAX_ENTRIES,
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
    verify(token, hash, now) {
      const known = recall(hash, now)
      if (known) return known
      // Many requests with one new token share its verification.
      const verification = underWay.get(hash) ?? verifyAndKeep(token, hash, now)
      underWay.set(hash, verification)
      return verification
    },
  }
}
