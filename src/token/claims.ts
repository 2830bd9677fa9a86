/**
 * Claims as issuers write them, read as an AccessToken. They were authenticated before, by the
 * signature of the JWT or because the issuer was asked itself. A member that is null counts as
 * absent, as some issuers send every member they know.
 */
import { Denial } from '../denial.ts'
import { decodeBase64url } from '../jws/base64url.ts'
import { isJsonObject, type JsonObject } from '../jws/json.ts'
import type { AccessToken } from './access-token.ts'

/** What one issuer's tokens must say. */
export interface ClaimRules {
  /** The operator's own name of the issuer. */
  readonly name: string
  /** `iss`, exactly. */
  readonly issuer: string
  /** The token must be for one of these. `none` switches the check off. */
  readonly audience: readonly string[] | 'none'
  readonly clockSkewSeconds: number
}

/** A time beyond this is in milliseconds: as seconds it would be the year 5138. */
const LATEST_IN_SECONDS = 1e11

/**
 * Throws `token_audience`, `token_premature` or `token_unbound`, and `token_malformed` for a claim
 * of the wrong type. `expiresAt` is what readExpiry says. Does not compare `iss`, which has chosen
 * the rules.
 */
export function readAccessToken(
  claims: JsonObject,
  rules: ClaimRules,
  expiresAt: number,
  now: number,
): AccessToken {
  requireStarted(claims, rules.clockSkewSeconds, now)
  requireAudience(claims['aud'], rules.audience)
  return {
    issuer: rules.issuer,
    issuerName: rules.name,
    subject: nonEmpty(claims['sub']),
    clientId: ['client_id', 'azp', 'cid', 'appid']
      .map((name) => nonEmpty(claims[name]))
      .find(Boolean),
    scopes: readScopes(claims['scope'] ?? claims['scp']),
    thumbprint: readThumbprint(claims['cnf']),
    expiresAt,
    claims,
  }
}

/**
 * The instant from which the token is refused, in epoch seconds, with the clock skew in it
 * (RFC 7519 §4.1.4); undefined without `exp`. Throws `token_expired` or `token_malformed`.
 */
export function readExpiry(
  claims: JsonObject,
  clockSkewSeconds: number,
  now: number,
): number | undefined {
  const exp = readTime(claims, 'exp')
  if (exp === undefined) return undefined
  // Taken at its word, such a token would never expire.
  if (exp > LATEST_IN_SECONDS) throw malformed('exp is in milliseconds')
  const expiresAt = exp + clockSkewSeconds
  if (now >= expiresAt) {
    const comparison = { expected: { expAfter: now - clockSkewSeconds }, received: { exp } }
    throw new Denial('token_expired', { comparison })
  }
  return expiresAt
}

/** RFC 7519 §4.1.5. `iat` may lie in the future: the RFC gives it no such meaning. */
function requireStarted(claims: JsonObject, clockSkewSeconds: number, now: number): void {
  readTime(claims, 'iat')
  const nbf = readTime(claims, 'nbf') ?? 0
  const startsAt = nbf > LATEST_IN_SECONDS ? nbf / 1_000 : nbf
  if (startsAt > now + clockSkewSeconds) {
    const comparison = { expected: { nbfAtMost: now + clockSkewSeconds }, received: { nbf } }
    throw new Denial('token_premature', { comparison })
  }
}

function readTime(claims: JsonObject, name: string): number | undefined {
  const value = claims[name] ?? undefined
  if (value === undefined) return undefined
  // RFC 7519 §2, NumericDate. JSON.parse reads 1e400 as Infinity.
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw malformed(`${name} is not a number of seconds`)
}

/** RFC 7519 §4.1.3: a string or an array of them. */
function requireAudience(aud: unknown, accepted: ClaimRules['audience']): void {
  if (accepted === 'none') return
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  if (!accepted.some((audience) => audiences.includes(audience))) {
    throw new Denial('token_audience', { comparison: { expected: accepted, received: audiences } })
  }
}

/** RFC 6749 §3.3: words between spaces. An array of them is read alike, as no word holds a space. */
function readScopes(value: unknown): readonly string[] {
  const members: readonly unknown[] = Array.isArray(value) ? value : [value]
  const words = members.filter((member) => typeof member === 'string').flatMap((m) => m.split(' '))
  return [...new Set(words)].filter(Boolean)
}

/**
 * Bindings this gateway cannot check (RFC 7800 §3, RFC 8705 §3.1). Beside `jkt` they would have to
 * hold as well, so a token that has one is refused. `kid` names a key and binds to none by itself.
 */
const OTHER_BINDINGS = ['x5t#S256', 'jwk', 'jwe', 'jku']

/** RFC 9449 §6.1: `cnf.jkt`, a SHA-256 in base64url. Undefined where the token has no `cnf`. */
function readThumbprint(cnf: unknown): string | undefined {
  if (cnf === undefined || cnf === null) return undefined
  if (!isJsonObject(cnf)) throw unbound('cnf is not an object')
  const other = OTHER_BINDINGS.find((name) => (cnf[name] ?? undefined) !== undefined)
  if (other !== undefined) throw unbound(`cnf.${other} cannot be checked here`)
  const { jkt } = cnf
  if (typeof jkt === 'string' && decodeBase64url(jkt)?.length === 32) return jkt
  throw unbound('cnf.jkt is not a SHA-256 thumbprint in base64url')
}

function nonEmpty(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function malformed(detail: string): Denial {
  return new Denial('token_malformed', { detail })
}

function unbound(detail: string): Denial {
  return new Denial('token_unbound', { detail })
}
