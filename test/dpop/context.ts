/** What a proof is verified against: valid for `client.proof({ url: TARGET, token: 'token' })`. */
import { createHash } from 'node:crypto'
import type { ProofContext } from '../../src/dpop/proof-context.ts'
import { ALGORITHMS } from '../../src/jws/algorithms.ts'
import type { AccessToken } from '../../src/token/access-token.ts'

export const TARGET = 'https://api.example.com/orders'

export function tokenOf(thumbprint: string): AccessToken {
  return {
    issuer: 'https://as.example.com',
    issuerName: 'main',
    subject: 'alice',
    clientId: 'app',
    scopes: [],
    thumbprint,
    expiresAt: Infinity,
    claims: {},
  }
}

export function contextFor(
  { thumbprint }: { readonly thumbprint: string },
  overrides: Partial<ProofContext> = {},
): ProofContext {
  return {
    policy: {
      algorithms: new Set(Object.keys(ALGORITHMS)),
      maxAgeSeconds: 60,
      clockSkewSeconds: 30,
      maxBytes: 8192,
    },
    method: 'GET',
    target: TARGET,
    tokenHash: createHash('sha256').update('token').digest('base64url'),
    thumbprint,
    now: Math.floor(Date.now() / 1000),
    ...overrides,
  }
}
