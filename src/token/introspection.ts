/** Access tokens that the issuer is asked about (RFC 7662), opaque ones above all. */
import { Denial } from '../denial.ts'
import type { Introspected } from '../issuer/introspection-answer.ts'
import type { Introspection } from '../issuer/introspection.ts'
import { processTiming, type Timing } from '../issuer/timing.ts'
import { text } from '../jws/compact.ts'
import type { VerifyFresh } from './cached.ts'
import { readAccessToken, readExpiry, type ClaimRules } from './claims.ts'
import { requireIntrospectedType, type TokenTypePolicy } from './token-type.ts'

export interface IntrospectionRules extends ClaimRules {
  readonly tokenType: TokenTypePolicy
  readonly introspection: Pick<Introspection, 'ask'>
  /** How long an answer is good for at most, and so how long a revoked token may pass. */
  readonly cacheForMs: number
  /** Told once that the issuer calls bound tokens Bearer, which it should not (RFC 9449 §6.2). */
  readonly report: (event: { readonly level: 'warn'; readonly message: string }) => void
  readonly timing?: Pick<Timing, 'monotonic'>
}

/** Throws a Denial of the family `token_*`, `issuer_unavailable` or `overloaded`. */
export function createIntrospectionVerifier(rules: IntrospectionRules): VerifyFresh {
  const { monotonic } = rules.timing ?? processTiming
  let isTold = false
  const tell = () => {
    if (isTold) return
    isTold = true
    rules.report({ level: 'warn', message: 'introspection gives bound tokens the type Bearer' })
  }
  return async (token, now) => {
    // Counted from before the question, or a token revoked meanwhile would pass for longer.
    const keptUntil = monotonic() + rules.cacheForMs
    const answer = await rules.introspection.ask(token)
    if (!answer.active) throw new Denial('token_inactive')
    const { accessToken, exp } = read(answer, rules, now)
    if (accessToken.thumbprint !== undefined && isBearer(answer)) tell()
    return {
      accessToken,
      // Beyond `exp` the issuer is asked again, whose clock may be behind.
      isTrusted: (later) => later < exp && monotonic() < keptUntil,
    }
  }
}

function isBearer(answer: Introspected): boolean {
  return text(answer['token_type']).toLowerCase() === 'bearer'
}

function read(answer: Introspected, rules: IntrospectionRules, now: number) {
  if ((answer['iss'] ?? rules.issuer) !== rules.issuer) {
    throw new Denial('token_issuer', { detail: 'iss of the answer is not the issuer asked' })
  }
  requireIntrospectedType(answer, rules.tokenType)
  try {
    const expiresAt = readExpiry(answer, rules.clockSkewSeconds, now) ?? Number.POSITIVE_INFINITY
    const accessToken = readAccessToken(answer, rules, expiresAt, now)
    return { accessToken, exp: expiresAt - rules.clockSkewSeconds }
  } catch (error) {
    // The token is fine; it is the issuer that made no sense.
    if (!(error instanceof Denial) || error.code !== 'token_malformed') throw error
    throw new Denial('issuer_unavailable', { detail: error.detail ?? '', cause: error })
  }
}
