/** What a verified access token says, and the port that verifies one. */

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
  /** Instant in epoch seconds after which the token is no longer accepted; the clock skew is in it. */
  readonly expiresAt: number
  readonly claims: Readonly<Record<string, unknown>>
}

/**
 * Verifies an access token.
 *
 * `token` is the token as sent, `hash` its SHA-256 in base64url (which is also the expected `ath`),
 * `now` epoch seconds. Throws a Denial of the family `token_*`, or `issuer_unavailable` when the
 * keys to verify it with cannot be had.
 */
export type VerifyToken = (token: string, hash: string, now: number) => Promise<AccessToken>
