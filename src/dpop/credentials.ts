/** Takes the access token and the proof out of a request (RFC 9449 §7.1 and §7.2, RFC 6750 §2). */
import { Denial } from '../denial.ts'

export interface CredentialFields {
  /** Every line of the Authorization field, as sent. */
  readonly authorization: readonly string[]
  /** Every line of the DPoP field, as sent. */
  readonly proofs: readonly string[]
  /** The query of the request target, without the question mark. */
  readonly query: string
}

export interface Credentials {
  readonly scheme: 'dpop' | 'bearer'
  readonly token: string
  /** Every line of the DPoP field. That there is just one is check 1 of the proof. */
  readonly proofs: readonly string[]
}

// RFC 9110 §11.1: scheme names are case-insensitive. A scheme of any other name is no token of ours.
const OUR_SCHEME = /^(dpop|bearer)(?![\w!#$%&'*+.^`|~-])/i
const TOKEN68 = /^[\w.~+/-]+=*$/

/**
 * Throws `credentials_missing`, `credentials_malformed`, `credentials_multiple`,
 * `credentials_mixed`, `proof_missing` or `token_malformed`.
 */
export function readCredentials(fields: CredentialFields, maxTokenBytes: number): Credentials {
  const { authorization, proofs, query } = fields
  if (authorization.length > 1) throw new Denial('credentials_multiple') // RFC 9449 §7.2
  const value = authorization[0] ?? ''
  const scheme = OUR_SCHEME.exec(value)?.[0]
  if (scheme === undefined) throw new Denial('credentials_missing')

  // RFC 9449 §7.1: credentials = "DPoP" 1*SP token68
  const token = /^ +(\S+)$/.exec(value.slice(scheme.length))?.[1]
  if (token === undefined) throw new Denial('credentials_malformed')
  if (token.length > maxTokenBytes || !TOKEN68.test(token)) throw new Denial('token_malformed')

  // RFC 6750 §2: no more than one method of sending a token. Its value is never read.
  if (query !== '' && new URLSearchParams(query).has('access_token')) {
    throw new Denial('credentials_multiple')
  }
  if (scheme.toLowerCase() === 'dpop') {
    if (proofs.length === 0) throw new Denial('proof_missing')
    return { scheme: 'dpop', token, proofs }
  }
  if (proofs.length > 0) throw new Denial('credentials_mixed')
  return { scheme: 'bearer', token, proofs }
}

/** Every line of the DPoP field of a request that brings no access token. Throws `proof_missing`. */
export function readProofs({ proofs }: Pick<CredentialFields, 'proofs'>): readonly string[] {
  if (proofs.length === 0) throw new Denial('proof_missing')
  return proofs
}
