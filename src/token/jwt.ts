/** Access tokens that are JWTs, verified with the keys of their issuer (RFC 7519, RFC 9068). */
import { Denial } from '../denial.ts'
import type { KeySet } from '../issuer/keys.ts'
import { decodeJwt, verifySignature } from '../issuer/signed-jwt.ts'
import { withAliases, type AlgorithmName } from '../jws/algorithms.ts'
import { text } from '../jws/compact.ts'
import type { JsonObject } from '../jws/json.ts'
import type { VerifyFresh } from './cached.ts'
import { readAccessToken, readExpiry, type ClaimRules } from './claims.ts'
import { requireAccessToken, type TokenTypePolicy } from './token-type.ts'

export interface Issuer extends ClaimRules {
  /** EdDSA and Ed25519 are two names of one algorithm: either stands for both. */
  readonly algorithms: readonly AlgorithmName[]
  readonly tokenType: TokenTypePolicy
  readonly keys: KeySet
}

/** Throws a Denial of the family `token_*`, or `issuer_unavailable`. */
export function createJwtVerifier(issuers: readonly Issuer[]): VerifyFresh {
  const known = new Map(
    issuers.map((issuer) => [
      issuer.issuer,
      { ...issuer, algorithms: withAliases(issuer.algorithms) },
    ]),
  )
  return async (token, now) => {
    const jwt = decodeJwt(token)
    if (!jwt) throw new Denial('token_malformed')
    const { header, claims } = jwt
    const issuer = known.get(text(claims['iss']))
    if (!issuer) throw unknownIssuer(claims, issuers)

    requireAccessToken(header, claims, issuer.tokenType)
    // Read before the key is, so that keys changing in between count as changed.
    const version = issuer.keys.version()
    await verifySignature(jwt, issuer.keys, issuer.algorithms)

    const expiresAt = readExpiry(claims, issuer.clockSkewSeconds, now)
    if (expiresAt === undefined) throw new Denial('token_malformed', { detail: 'exp is missing' })
    return {
      accessToken: readAccessToken(claims, issuer, expiresAt, now),
      // A key the issuer has withdrawn takes the tokens signed with it along.
      isTrusted: () => issuer.keys.version() === version,
    }
  }
}

/** The commonest mistake is named, which is hard to see. */
function unknownIssuer(claims: JsonObject, issuers: readonly Issuer[]): Denial {
  const withoutSlash = (value: string) => value.replace(/\/$/, '')
  const iss = text(claims['iss'])
  const near = issuers.find(({ issuer }) => withoutSlash(issuer) === withoutSlash(iss))
  const detail = near
    ? `iss differs from issuer ${near.name} by its trailing slash`
    : 'iss is not configured, or its tokens are not verified by key here'
  const expected = issuers.map(({ issuer }) => issuer)
  return new Denial('token_issuer', { detail, comparison: { expected, received: iss } })
}
