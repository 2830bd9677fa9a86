/**
 * Every refusal of the gateway, in one table. The code is the log reason, the metric label, the
 * anchor in docs/errors.md and what tests assert; `error` and `description` are what a client sees.
 * Descriptions are constants: nothing a client sent is repeated to it, a route with `debug` aside.
 */

export interface Refusal {
  /** HTTP status code. */
  readonly status: number
  /** OAuth error code (RFC 6750 §3.1, RFC 9449 §7.1). Left out where OAuth defines none. */
  readonly error?: string
  /** One sentence for the developer of the client. */
  readonly description: string
  /** Whether the answer carries a `WWW-Authenticate: DPoP` challenge. Default is false. */
  readonly challenge?: true
  /** Whether the connection is closed, because what follows on it can no longer be trusted. */
  readonly close?: true
}

const invalidRequest = { status: 400, error: 'invalid_request', challenge: true } as const
const invalidProof = { status: 401, error: 'invalid_dpop_proof', challenge: true } as const
const invalidToken = { status: 401, error: 'invalid_token', challenge: true } as const
const unavailable = { status: 503, error: 'temporarily_unavailable' } as const
const badRequest = { status: 400, error: 'invalid_request', close: true } as const

// prettier-ignore
export const REFUSALS = {
  // RFC 6750 §3.1: where no credentials were sent, the challenge names no error.
  credentials_missing:    { status: 401, challenge: true, description: 'Send Authorization: DPoP with an access token, and a proof in the DPoP header' },
  credentials_malformed:  { ...invalidRequest, description: 'The Authorization header is not a scheme followed by one token' },
  credentials_multiple:   { ...invalidRequest, description: 'The access token was sent more than once' },
  credentials_mixed:      { ...invalidRequest, description: 'A proof was sent with a Bearer token: use the DPoP scheme' },
  proof_missing:          { ...invalidRequest, description: 'There is no proof in the DPoP header' },

  proof_multiple:         { ...invalidProof, description: 'There is more than one DPoP header' },
  proof_malformed:        { ...invalidProof, description: 'The proof is not a well-formed signed JWT in compact form' },
  proof_too_large:        { ...invalidProof, description: 'The proof is longer than this gateway accepts' },
  proof_type:             { ...invalidProof, description: 'typ is not dpop+jwt' },
  proof_algorithm:        { ...invalidProof, description: 'alg is not one of the algorithms this route accepts' },
  proof_key:              { ...invalidProof, description: 'jwk is not a public key that fits alg' },
  proof_key_private:      { ...invalidProof, description: 'jwk holds private key material: replace this key, it is no longer secret' },
  proof_key_weak:         { ...invalidProof, description: 'jwk is too weak: RSA needs 2048 to 8192 bits and an odd exponent from 65537, Ed25519 a point of full order' },
  proof_claim_missing:    { ...invalidProof, description: 'jti, htm, htu, iat or ath is missing or not of its type' },
  proof_method:           { ...invalidProof, description: 'htm does not match the request method' },
  proof_target:           { ...invalidProof, description: 'htu does not match the URL of the request' },
  // RFC 9449 §8, §9: not that anything is wrong, but that the next proof should hold the nonce.
  proof_nonce:            { status: 401, error: 'use_dpop_nonce', challenge: true, description: 'Sign the proof again with the nonce in the DPoP-Nonce header' },
  proof_expired:          { ...invalidProof, description: 'The proof is too old: sign a new one for every request, with iat in seconds' },
  proof_premature:        { ...invalidProof, description: 'The proof is dated in the future: check the clock, and that iat is in seconds' },
  proof_token_hash:       { ...invalidProof, description: 'ath is not the SHA-256 of the access token in base64url without padding' },
  proof_signature:        { ...invalidProof, description: 'The signature does not verify with jwk' },
  proof_replayed:         { ...invalidProof, description: 'A proof with this jti was used before: sign a new one for every request' },

  token_malformed:        { ...invalidToken, description: 'The access token is not well-formed' },
  token_type:             { ...invalidToken, description: 'The token is not an access token' },
  token_algorithm:        { ...invalidToken, description: 'The access token is signed with an algorithm that is not accepted' },
  token_signature:        { ...invalidToken, description: 'The signature of the access token does not verify with a key of its issuer' },
  token_issuer:           { ...invalidToken, description: 'The issuer of the access token is not accepted here' },
  token_audience:         { ...invalidToken, description: 'The access token was issued for another audience' },
  token_expired:          { ...invalidToken, description: 'The access token has expired' },
  token_premature:        { ...invalidToken, description: 'The access token is not valid yet' },
  token_inactive:         { ...invalidToken, description: 'The issuer says the access token is not active: unknown, expired or revoked' },
  token_unbound:          { ...invalidToken, description: 'The access token is not bound to a key with cnf.jkt alone' },
  token_key_mismatch:     { ...invalidToken, description: 'The access token is bound to another key than the one that signed the proof' },
  // RFC 9449 §7.2: a bound token is never accepted as a bearer token.
  token_bound:            { ...invalidToken, description: 'The access token is bound to a key: send it with the DPoP scheme and a proof' },

  // RFC 9470 §3.
  authentication_insufficient: { status: 401, error: 'insufficient_user_authentication', challenge: true, description: 'The user must authenticate again, or more strongly, for this route' },
  scope_insufficient:     { status: 403, error: 'insufficient_scope', challenge: true, description: 'The access token lacks a scope this route requires' },
  claim_refused:          { status: 403, error: 'access_denied', description: 'A claim of the access token is not among the values this route allows' },

  replay_store_unavailable: { ...unavailable, description: 'The gateway cannot check proofs for replay at the moment' },
  issuer_unavailable:     { ...unavailable, description: 'The gateway cannot reach the issuer of the access token at the moment' },
  overloaded:             { ...unavailable, description: 'The gateway takes no more requests of this kind at the moment' },

  path_invalid:           { ...badRequest, description: 'The request target is malformed or ambiguous' },
  host_invalid:           { ...badRequest, description: 'The Host header is missing, repeated, malformed or at odds with the request target' },
  header_invalid:         { ...badRequest, description: 'The message framing or a header field is malformed or ambiguous' },
  request_timeout:        { status: 408, close: true, description: 'The request did not arrive in time' },
  body_too_large:         { status: 413, close: true, description: 'The request body is larger than this gateway accepts' },
  expectation_unknown:    { status: 417, close: true, description: 'The only expectation this gateway meets is 100-continue' },
  headers_too_large:      { status: 431, close: true, description: 'The header fields are larger or more than this gateway accepts' },
  version_unsupported:    { status: 505, close: true, description: 'The HTTP version is not supported' },

  origin_unknown:         { status: 421, description: 'This gateway does not answer for the host of the request' },
  route_unknown:          { status: 404, description: 'No route matches the path of the request' },
  method_unknown:         { status: 405, description: 'The route does not take the method of the request' },

  websocket_refused:      { status: 403, close: true, description: 'The route takes no WebSockets' },
  origin_refused:         { status: 403, close: true, description: 'The route takes no WebSockets from pages of this origin' },

  upstream_unreachable:   { status: 502, description: 'The API behind the gateway could not be reached' },
  upstream_invalid:       { status: 502, description: 'The API behind the gateway gave an invalid answer' },
  upstream_timeout:       { status: 504, description: 'The API behind the gateway did not answer in time' },
} as const satisfies Record<string, Refusal>

export type DenialCode = keyof typeof REFUSALS

/** Holds no token, no hash of one, no proof and no key. */
export interface Comparison {
  readonly expected: unknown
  readonly received: unknown
}

export interface DenialOptions {
  /** For the log alone, where the comparison follows it. Never holds a token, a proof or a secret. */
  readonly detail?: string
  /** For the log alone. */
  readonly cause?: unknown
  /** What was asked for and what was sent, for the body on a route with `debug` too. */
  readonly comparison?: Comparison
  /** Our clock less the client's, where the client has said what its clock says. */
  readonly clockDifferenceSeconds?: number
  /** Header fields that belong to this refusal, such as Allow. Never holds what a client sent. */
  readonly headers?: Readonly<Record<string, string>>
}

/** An expected refusal. */
export class Denial extends Error {
  override readonly name = 'Denial'
  readonly code: DenialCode
  readonly detail: string | undefined
  readonly comparison: Comparison | undefined
  readonly clockDifferenceSeconds: number | undefined
  readonly headers: Readonly<Record<string, string>>

  constructor(code: DenialCode, options: DenialOptions = {}) {
    const { detail, cause, comparison, clockDifferenceSeconds, headers = {} } = options
    // Nobody looks at where an expected refusal came from, and to find out costs more than to refuse.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(code, cause === undefined ? undefined : { cause })
    Error.stackTraceLimit = stackTraceLimit
    this.code = code
    this.detail = describe(detail, comparison)
    this.comparison = comparison
    this.clockDifferenceSeconds = clockDifferenceSeconds
    this.headers = headers
  }
}

/** What a client sent goes into the log no longer than this, in characters. */
const MAX_DETAIL = 400

function describe(detail: string | undefined, comparison: Comparison | undefined) {
  if (!comparison) return detail
  const compared = JSON.stringify(comparison).slice(0, MAX_DETAIL)
  return detail === undefined ? compared : `${detail} ${compared}`
}
