import { ALL, keySetOf } from '../issuer/key-set.ts'
import type { AccessToken } from '../../src/token/access-token.ts'
import { createJwtVerifier, type Issuer } from '../../src/token/jwt.ts'
import { AUDIENCE, type Authority } from '../support/jwks-server.ts'
import type { Owner } from '../support/owner.ts'

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
