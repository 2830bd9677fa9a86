/**
 * Tells access tokens from the other JWTs an issuer signs with the same keys (RFC 8725 §3.11):
 * ID tokens, refresh tokens, logout tokens, proofs.
 */
import { Denial } from '../denial.ts'
import { text } from '../jws/compact.ts'
import type { JsonObject } from '../jws/json.ts'

/**
 * `strict` takes what RFC 9068 defines and nothing else. `compatible` also takes tokens whose `typ`
 * is `JWT` or absent, as most issuers make them, if nothing in them says they are something else.
 */
export type TokenTypePolicy = 'compatible' | 'strict'

/** RFC 9068 §2.2. */
const REQUIRED_CLAIMS = ['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti']
/** OpenID Connect Core §2 and §3.3.2.11; `events` is of a logout or security event token. */
const FOREIGN_CLAIMS = ['nonce', 'at_hash', 'c_hash', 's_hash', 'events']
/** Keycloak and Janssen write the kind of token into the claim `typ`. */
const FOREIGN_KIND = /^(refresh|id|logout|offline)$/i

/** Throws `token_type`, or `token_malformed` where `strict` misses a claim. */
export function requireAccessToken(
  header: JsonObject,
  claims: JsonObject,
  policy: TokenTypePolicy,
): void {
  const type = mediaType(header['typ'])
  if (policy === 'strict') {
    if (type !== 'at+jwt') throw new Denial('token_type', { detail: 'typ is not at+jwt' })
    const missing = REQUIRED_CLAIMS.filter((name) => isAbsent(claims[name]))
    if (missing.length === 0) return
    throw new Denial('token_malformed', { detail: `missing: ${missing.join(' ')}` })
  }
  if (type === 'at+jwt') return
  if (type !== 'jwt' && type !== undefined) {
    throw new Denial('token_type', { detail: 'typ is none of an access token' })
  }
  const foreign = FOREIGN_CLAIMS.find((name) => !isAbsent(claims[name]))
  if (foreign !== undefined)
    throw new Denial('token_type', { detail: `it has the claim ${foreign}` })
  if (FOREIGN_KIND.test(text(claims['typ']))) {
    throw new Denial('token_type', { detail: 'the claim typ names another kind of token' })
  }
}

/** RFC 7515 §4.1.9: compared without case, and `application/` may be left out. */
function mediaType(typ: unknown): string | undefined {
  return typ === undefined
    ? undefined
    : text(typ)
        .toLowerCase()
        .replace(/^application\//, '')
}

function isAbsent(claim: unknown): boolean {
  return claim === undefined || claim === null
}
