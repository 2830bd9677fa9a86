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
/** Keycloak and Janssen write the kind of token into the claim `typ`, Hydra into `token_use`. */
const KIND_CLAIMS = ['typ', 'token_use']
const FOREIGN_KIND = /^(refresh|id|logout|offline)([ _-]?token)?$/i
/** RFC 7662 §2.2, RFC 9449 §6.2. Some issuers say Bearer for bound tokens as well. */
const TOKEN_TYPE = /^(dpop|bearer)$/i
/** What Duende and Okta write in its place. */
const LOOSE_TOKEN_TYPE = /^(dpop|bearer|access_token)$/i

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
  requireOwnKind(claims)
}

/**
 * The same for the answer of an introspection endpoint, which knows refresh tokens as well. `strict`
 * needs `token_type`, which issuers leave out for those. Throws `token_type`.
 */
export function requireIntrospectedType(answer: JsonObject, policy: TokenTypePolicy): void {
  const type = answer['token_type']
  const isCompatible = isAbsent(type) || LOOSE_TOKEN_TYPE.test(text(type))
  if (policy === 'strict' ? !TOKEN_TYPE.test(text(type)) : !isCompatible) {
    throw new Denial('token_type', { detail: 'token_type is not that of an access token' })
  }
  requireOwnKind(answer)
}

function requireOwnKind(claims: JsonObject): void {
  const foreign = KIND_CLAIMS.find((name) => FOREIGN_KIND.test(text(claims[name])))
  if (foreign === undefined) return
  throw new Denial('token_type', { detail: `${foreign} names another kind of token` })
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
