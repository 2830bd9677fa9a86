/**
 * JWTs an issuer signs, verified with its keys (RFC 7519, RFC 8725). Keys and key locations in the
 * JWT itself (`jwk`, `jku`, `x5u`, `x5c`) are never looked at.
 */
import { compactVerify, errors } from 'jose'
import { Denial, type DenialCode } from '../denial.ts'
import { isAlgorithmName, type AlgorithmName } from '../jws/algorithms.ts'
import { decodeBase64url } from '../jws/base64url.ts'
import { decodeSegment, needsExtension, splitCompact, text } from '../jws/compact.ts'
import type { JsonObject } from '../jws/json.ts'
import type { KeySet } from './keys.ts'

/** A JWT as it says of itself: nothing is verified yet. */
export interface Jwt {
  readonly compact: string
  readonly header: JsonObject
  readonly claims: JsonObject
}

/** Undefined where the text is no well-formed JWS in compact form with claims. */
export function decodeJwt(compact: string): Jwt | undefined {
  const segments = splitCompact(compact)
  if (!segments) return undefined
  const header = decodeSegment(segments.header)
  const claims = decodeSegment(segments.payload)
  if (!header || !claims || needsExtension(header)) return undefined
  // jose would decode a second spelling of the signature; alg none has no signature to spell.
  if (segments.signature !== '' && !decodeBase64url(segments.signature)) return undefined
  return { compact, header, claims }
}

/** Throws `token_algorithm`, `token_malformed`, `token_signature` or `issuer_unavailable`. */
export async function verifySignature(
  { compact, header }: Jwt,
  keys: KeySet,
  accepted: ReadonlySet<AlgorithmName>,
): Promise<void> {
  const algorithm = readAlgorithm(header, accepted)
  const { key } = await keys.find(readKid(header), algorithm)
  try {
    await compactVerify(compact, key, { algorithms: [algorithm] })
  } catch (cause) {
    const code = cause instanceof errors.JOSEError ? JOSE_ERRORS[cause.code] : undefined
    throw code === undefined ? cause : new Denial(code, { cause })
  }
}

/** RFC 8725 §3.1. `none` and the symmetric algorithms have no name here. */
function readAlgorithm(header: JsonObject, accepted: ReadonlySet<AlgorithmName>): AlgorithmName {
  const alg = text(header['alg'])
  if (isAlgorithmName(alg) && accepted.has(alg)) return alg
  throw new Denial('token_algorithm')
}

/** RFC 7515 §4.1.4: a string. */
function readKid({ kid }: JsonObject): string | undefined {
  if (kid === undefined || typeof kid === 'string') return kid
  throw new Denial('token_malformed', { detail: 'kid is not a string' })
}

const JOSE_ERRORS: Readonly<Record<string, DenialCode>> = {
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'token_signature',
  ERR_JWS_INVALID: 'token_malformed',
  ERR_JOSE_ALG_NOT_ALLOWED: 'token_algorithm',
  ERR_JOSE_NOT_SUPPORTED: 'token_algorithm',
}
