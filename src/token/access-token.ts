/** What a verified access token says, and the port that verifies one. */
import type { Eventual } from '../eventual.ts'

export interface AccessToken {
  /** `iss`, exactly as configured for the issuer. */
  readonly issuer: string
  /** The operator's own name of the issuer, the key under `issuers` in gateway.yaml. */
  readonly issuerName: string
  readonly subject: string | undefined
  /** From `client_id`, `azp`, `cid` or `appid`, the first that is there. */
  readonly clientId: string | undefined
  /** From `scope` or `scp`, a string or an array. */
  readonly scopes: readonly string[]
  /** `cnf.jkt`: the RFC 7638 thumbprint of the key the token is bound to (RFC 9449 §6.1). */
  readonly thumbprint: string | undefined
  /**
   * Instant in epoch seconds from which the token is no longer accepted, with the clock skew in it.
   * Infinity where its issuer vouches for it without a time.
   */
  readonly expiresAt: number
  readonly claims: Readonly<Record<string, unknown>>
}

/**
 * Verifies an access token.
 *
 * `token` is the token as sent, `hash` its SHA-256 in base64url (which is also the expected `ath`),
 * `now` epoch seconds. Throws, or rejects with, a Denial of the family `token_*`;
 * `issuer_unavailable` where the issuer does not give its keys or does not answer, `overloaded` where
 * too many wait for it.
 */
export type VerifyToken = (token: string, hash: string, now: number) => Eventual<AccessToken>
