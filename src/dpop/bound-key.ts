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

export function createBoundKeys(): BoundKeys {
  const headers = new WeakMap<AccessToken, ProofHeader>()
  return {
    recall: (token) => headers.get(token),
    remember: (token, header) => {
      headers.set(token, header)
    },
  }
}
