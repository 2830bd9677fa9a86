/**
 * How a route has tokens verified: a JWT of a configured issuer with the keys of that issuer, and
 * everything else by asking the one issuer of the route that is asked about tokens, if there is one.
 */
import { decodeJwt } from '../issuer/signed-jwt.ts'
import { text } from '../jws/compact.ts'
import type { VerifyToken } from './access-token.ts'
import type { TokenCache } from './cached.ts'

/** Tokens that an issuer is asked about. */
export interface AskedIssuer {
  /** `iss`. */
  readonly issuer: string
  /** Whether it is asked about its JWTs too. */
  readonly always: boolean
  readonly tokens: TokenCache
}

/** `issuers` are the `iss` of all that are configured, whether or not the route takes their tokens. */
export function chooseWay(
  signed: TokenCache,
  asked: AskedIssuer | undefined,
  issuers: ReadonlySet<string>,
): VerifyToken {
  if (!asked) return signed.verify
  const { issuer, always, tokens } = asked
  const isVerifiedByKey = (token: string) => {
    const iss = text(decodeJwt(token)?.claims['iss'])
    return issuers.has(iss) && !(always && iss === issuer)
  }
  return (token, hash, now) =>
    tokens.recall(hash, now) ??
    signed.recall(hash, now) ??
    (isVerifiedByKey(token) ? signed : tokens).verify(token, hash, now)
}
