/**
 * A proof taken apart, before anything of it is believed. What is absent or of the wrong type
 * becomes a value that no check accepts (an empty string, NaN), so that every check can be asked
 * about every proof, however broken.
 */
import { isBase64url } from '../jws/base64url.ts'
import { isAlgorithmName } from '../jws/algorithms.ts'
import { decodeSegment, needsExtension, splitCompact, text, type Segments } from '../jws/compact.ts'
import { isJsonObject, type JsonObject } from '../jws/json.ts'
import {
  holdsPrivateMembers,
  readPublicKey,
  type KeyFault,
  type PublicKey,
} from '../jws/public-key.ts'

export interface ProofHeader {
  /** The segment it was decoded from: a client sends the same one with each of its proofs. */
  readonly segment: string
  readonly wellFormed: boolean
  readonly typ: string
  readonly alg: string
  /** Whether `jwk` shows a private or symmetric key. */
  readonly leaksKey: boolean
  /** The key in `jwk`, or why it is none. Imported when first asked for. */
  readonly key: () => PublicKey | KeyFault
}

export interface ProofClaims {
  readonly jti: string
  readonly htm: string
  readonly htu: string
  /** Epoch seconds; NaN where there is none. */
  readonly iat: number
  /** Undefined where there is none. */
  readonly ath: string | undefined
  /** Empty where there is none, or none that could be ours. */
  readonly nonce: string
  /** Epoch seconds; undefined where there is none. */
  readonly exp: number | undefined
  readonly nbf: number | undefined
  /** Names of claims that are missing or not of their type. */
  readonly faulty: readonly string[]
}

export interface DecodedProof {
  /** How many DPoP field lines the request has. */
  readonly lines: number
  /** Length of the proof in characters. */
  readonly length: number
  readonly wellFormed: boolean
  readonly segments: Segments
  readonly header: ProofHeader
  readonly claims: ProofClaims
}

const NO_SEGMENTS: Segments = { header: '', payload: '', signingInput: '', signature: '' }

/** `known` is the header of this client's last proof, which saves decoding and import. */
export function decodeProof(lines: readonly string[], known?: ProofHeader): DecodedProof {
  const value = lines[0] ?? ''
  const segments = splitCompact(value) ?? NO_SEGMENTS
  const header = known?.segment === segments.header ? known : decodeHeader(segments.header)
  const payload = decodeSegment(segments.payload)
  return {
    lines: lines.length,
    length: value.length,
    wellFormed: header.wellFormed && payload !== undefined && isSignature(segments.signature),
    segments,
    header,
    claims: readClaims(payload ?? {}),
  }
}

/** An empty one is well-formed (RFC 7515 §A.5), and verifies with no key. */
function isSignature(segment: string): boolean {
  return segment === '' || isBase64url(segment)
}

function decodeHeader(segment: string): ProofHeader {
  const header = decodeSegment(segment)
  let jwk = header?.['jwk']
  const alg = text(header?.['alg'])
  let key: PublicKey | KeyFault | undefined
  return {
    segment,
    wellFormed: header !== undefined && !needsExtension(header),
    typ: text(header?.['typ']),
    alg,
    leaksKey: isJsonObject(jwk) && holdsPrivateMembers(jwk),
    key() {
      key ??= readKey(jwk, alg)
      jwk = undefined // It may be large, and is not read again.
      return key
    },
  }
}

function readKey(jwk: unknown, alg: string): PublicKey | KeyFault {
  return isJsonObject(jwk) && isAlgorithmName(alg) ? readPublicKey(jwk, alg) : 'unusable'
}

/** RFC 9449 §4.2. `exp` and `nbf` are not asked for there; where they are sent they hold. */
function readClaims(payload: JsonObject): ProofClaims {
  const { jti, htm, htu, iat, ath, nonce, exp, nbf } = payload
  const faulty: string[] = []
  const readText = (name: string, value: unknown) => {
    if (typeof value === 'string' && value.trim() !== '') return value
    faulty.push(name)
    return ''
  }
  const readInstant = (name: string, value: unknown) => {
    if (typeof value === 'number' && Number.isFinite(value)) return value
    faulty.push(name)
    return Number.NaN
  }
  return {
    jti: readText('jti', jti),
    htm: readText('htm', htm),
    htu: readText('htu', htu),
    iat: readInstant('iat', iat),
    ath: ath === undefined ? undefined : readText('ath', ath),
    nonce: text(nonce),
    exp: exp === undefined ? undefined : readInstant('exp', exp),
    nbf: nbf === undefined ? undefined : readInstant('nbf', nbf),
    faulty,
  }
}
