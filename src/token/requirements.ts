/** What a route asks of a token that is valid in itself. */
import { Denial } from '../denial.ts'
import { decodeSegment, splitCompact, text } from '../jws/compact.ts'
import type { AccessToken } from './access-token.ts'

export interface Requirements {
  /** The operator's names of the issuers whose tokens are taken. */
  readonly issuers: ReadonlySet<string>
  /** All of them are needed. */
  readonly scopes: readonly string[]
  /** For each claim the values of which one is needed. */
  readonly claims: Readonly<Record<string, readonly (string | number | boolean)[]>>
  /** Of the authentication of the user (RFC 9470). */
  readonly authentication: AuthenticationRequirements
}

export interface AuthenticationRequirements {
  /** One of them is needed in `acr`. Empty for any. */
  readonly contexts: readonly string[]
  /** How long ago `auth_time` may be; undefined for any time. */
  readonly maxAgeSeconds: number | undefined
}

/** Throws `token_issuer`. */
export function requireIssuer(token: AccessToken, issuers: ReadonlySet<string>): void {
  if (!issuers.has(token.issuerName)) {
    throw new Denial('token_issuer', {
      detail: `issuer ${token.issuerName} is not one of this route`,
      comparison: { expected: [...issuers], received: token.issuerName },
    })
  }
}

/** It was when it was verified, which may have taken a while. Throws `token_expired`. */
export function requireCurrent({ expiresAt }: AccessToken, now: number): void {
  if (now < expiresAt) return
  throw new Denial('token_expired', {
    comparison: { expected: { before: expiresAt }, received: now },
  })
}

/** How `token_type` (RFC 9449 §6.2) or, in the tokens of Keycloak, `typ` calls a bound token. */
const BOUND_TYPE = /^dpop$/i

/**
 * Whether a token may pass as a bearer token. One that its issuer calls bound, or that as a JWT says
 * so itself, is bound, though the gateway does not learn to which key: that must not make it worth
 * more. `sent` is the token as it came.
 */
export function isUnbound({ thumbprint, claims }: AccessToken, sent: string): boolean {
  if (thumbprint !== undefined || saysBound(claims)) return false
  const segments = splitCompact(sent)
  return !saysBound((segments && decodeSegment(segments.payload)) ?? {})
}

function saysBound(claims: AccessToken['claims']): boolean {
  const types = [claims['token_type'], claims['typ']]
  // Janssen writes the certificate a token is bound to beside its `cnf`.
  const bindings = [claims['cnf'], claims['x5t#S256']]
  return (
    types.some((type) => BOUND_TYPE.test(text(type))) ||
    bindings.some((binding) => binding !== undefined && binding !== null)
  )
}

/** RFC 9449 §6: the thumbprint of the key. Throws `token_unbound`. */
export function requireBinding({ thumbprint }: AccessToken): string {
  if (thumbprint === undefined) throw new Denial('token_unbound')
  return thumbprint
}

/** Throws `scope_insufficient`, `claim_refused` or `authentication_insufficient`. */
export function requireGranted(token: AccessToken, requirements: Requirements, now: number): void {
  requireScopes(token, requirements.scopes)
  requireClaims(token, requirements.claims)
  requireAuthentication(token, requirements.authentication, now)
}

/** RFC 6749 §3.3: whole words, case-sensitive. Throws `scope_insufficient`. */
function requireScopes(token: AccessToken, scopes: readonly string[]): void {
  const missing = scopes.filter((scope) => !token.scopes.includes(scope))
  if (missing.length > 0) {
    throw new Denial('scope_insufficient', {
      detail: `missing: ${missing.join(' ')}`,
      comparison: { expected: scopes, received: token.scopes },
    })
  }
}

/** A claim that is an array matches if it holds one of the values. Throws `claim_refused`. */
function requireClaims(token: AccessToken, required: Requirements['claims']): void {
  for (const [name, allowed] of Object.entries(required)) {
    const claim = Object.hasOwn(token.claims, name) ? token.claims[name] : undefined
    const values: readonly unknown[] = Array.isArray(claim) ? claim : [claim]
    if (!allowed.some((value) => values.includes(value))) {
      // No comparison: what a claim says may be nobody's business.
      throw new Denial('claim_refused', { detail: `claim ${name}` })
    }
  }
}

/** The clock of an issuer may be ahead. A time beyond is a mistake that would never age: milliseconds. */
const MAX_AHEAD_SECONDS = 300

/** RFC 9470 §3. What the token does not say does not count. Throws `authentication_insufficient`. */
function requireAuthentication(
  { claims }: AccessToken,
  { contexts, maxAgeSeconds }: AuthenticationRequirements,
  now: number,
): void {
  const { acr, auth_time: authTime } = claims
  if (contexts.length > 0 && !contexts.some((context) => context === acr)) {
    throw insufficient('acr', contexts, acr)
  }
  if (maxAgeSeconds === undefined) return
  const [atLeast, atMost] = [now - maxAgeSeconds, now + MAX_AHEAD_SECONDS]
  if (typeof authTime !== 'number' || authTime < atLeast || authTime > atMost) {
    throw insufficient('auth_time', { atLeast, atMost }, authTime)
  }
}

function insufficient(claim: string, expected: unknown, received: unknown): Denial {
  const comparison = { expected, received: received ?? 'none' }
  return new Denial('authentication_insufficient', { detail: `claim ${claim}`, comparison })
}
