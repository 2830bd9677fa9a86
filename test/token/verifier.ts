import { ALGORITHMS, type AlgorithmName } from '../../src/jws/algorithms.ts'
import type { AccessToken } from '../../src/token/access-token.ts'
import type { KeySourceOptions } from '../../src/token/key-source.ts'
import { createJwtVerifier, type Issuer } from '../../src/token/jwt.ts'
import { createKeySet, type KeySet } from '../../src/token/keys.ts'
import { AUDIENCE, type Authority } from '../support/jwks-server.ts'
import type { Owner } from '../support/owner.ts'

export const ALL = Object.keys(ALGORITHMS) as AlgorithmName[]

/** Keys of an authority, not started. */
export function keySetOf(
  t: Owner,
  authority: Authority,
  options: Partial<KeySourceOptions> = {},
): KeySet {
  const { issuer, jwksUri } = authority
  const report = () => undefined
  const keys = createKeySet({ issuer, jwksUri, algorithms: ALL, report, ...options })
  t.teardown(keys.close)
  return keys
}

/** Verifies the tokens of an authority as `main`, with loaded keys. */
export async function verifierOf(
  t: Owner,
  authority: Authority,
  rules: Partial<Issuer> = {},
): Promise<(token: string, now?: number) => Promise<AccessToken>> {
  const keys = rules.keys ?? keySetOf(t, authority)
  await keys.start()
  const verify = createJwtVerifier([
    {
      name: 'main',
      issuer: authority.issuer,
      audience: [AUDIENCE],
      algorithms: ALL,
      tokenType: 'compatible',
      clockSkewSeconds: 30,
      keys,
      ...rules,
    },
  ])
  return async (token, now = wallClock()) => (await verify(token, now)).accessToken
}

export function wallClock(): number {
  return Math.floor(Date.now() / 1_000)
}
