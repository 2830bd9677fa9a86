/**
 * Keeps the imported key of a client with the token that is bound to it. A client sends the same
 * proof header with every request, and a token is bound to one key: so the key lives and dies with
 * the cached token, and nobody without a valid token can fill this up.
 */
import type { AccessToken } from '../token/access-token.ts'
import type { ProofHeader } from './decoded-proof.ts'

export interface BoundKeys {
  recall(token: AccessToken): ProofHeader | undefined
  /** Only for a request that passed every check. */
  remember(token: AccessToken, header: ProofHeader): void
}

/** In characters. That of the longest key there can be, RSA with 8192 bits, has about 2000. */
const MAX_HEADER = 2_100

export function createBoundKeys(): BoundKeys {
  const headers = new WeakMap<AccessToken, ProofHeader>()
  return {
    recall: (token) => headers.get(token),
    remember: (token, header) => {
      // Whoever writes more into it pays for its import each time, and not with our memory.
      if (headers.get(token) === header || header.segment.length > MAX_HEADER) return
      headers.set(token, { ...header, segment: copied(header.segment) })
    },
  }
}

/** A part of a text keeps the whole of it in memory. */
function copied(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}
