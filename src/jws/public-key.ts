/**
 * A JWK (RFC 7517) read as a public key for one algorithm, refusing what lenient libraries let
 * through: private members, weak or malformed numbers, points of small order, and any second
 * spelling of the same key, for which the thumbprint would differ.
 */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { ALGORITHMS, type Algorithm, type AlgorithmName } from './algorithms.ts'
import { decodeBase64url } from './base64url.ts'
import { isEd25519PointSafe } from './ed25519.ts'
import type { JsonObject } from './json.ts'

export interface PublicKey {
  readonly algorithm: AlgorithmName
  readonly key: KeyObject
  /** RFC 7638 thumbprint with SHA-256, in base64url. */
  readonly thumbprint: string
}

/** Why a JWK is no key: it is private, too weak to trust, or does not describe a key for `alg`. */
export type KeyFault = 'private' | 'weak' | 'unusable'

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']
const COORDINATE_BYTES = { 'P-256': 32, 'P-384': 48, 'P-521': 66 } as const

export function readPublicKey(jwk: JsonObject, name: AlgorithmName): PublicKey | KeyFault {
  if (holdsPrivateMembers(jwk)) return 'private'
  const algorithm = ALGORITHMS[name]
  if (jwk['kty'] !== algorithm.kty || !isForVerifying(jwk, name)) return 'unusable'
  const members = requiredMembers(jwk, algorithm)
  if (typeof members === 'string') return members
  try {
    return {
      algorithm: name,
      key: createPublicKey({ key: { ...members }, format: 'jwk' }),
      // RFC 7638 §3.2: only the required members, in lexicographic order.
      thumbprint: createHash('sha256').update(JSON.stringify(members)).digest('base64url'),
    }
  } catch {
    return 'unusable' // A point that is not on its curve, for one.
  }
}

/** RFC 9449 §4.3 (7). Also where a member is empty or null: it says what the sender handles. */
export function holdsPrivateMembers(jwk: JsonObject): boolean {
  return PRIVATE_MEMBERS.some((member) => member in jwk)
}

/** RFC 7517 §4.2 to §4.4: what the key says of its own use must allow verifying with `name`. */
function isForVerifying({ use, key_ops, alg }: JsonObject, name: AlgorithmName): boolean {
  return (
    (use === undefined || use === 'sig') &&
    (key_ops === undefined || (Array.isArray(key_ops) && key_ops.includes('verify'))) &&
    (alg === undefined || alg === name || (isEd25519(alg) && isEd25519(name)))
  )
}

/** RFC 9864 §2.2: EdDSA is the older name, under which many keys are published still. */
function isEd25519(alg: unknown): boolean {
  return alg === 'EdDSA' || alg === 'Ed25519'
}

/** The members a thumbprint is made of (RFC 7638 §3.2, RFC 8037 §2), in its order. */
function requiredMembers(jwk: JsonObject, algorithm: Algorithm): Record<string, string> | KeyFault {
  switch (algorithm.kty) {
    case 'EC': {
      const { crv, x, y } = jwk
      const length = COORDINATE_BYTES[algorithm.crv]
      const fits = bytes(x)?.length === length && bytes(y)?.length === length
      if (crv !== algorithm.crv || !fits) return 'unusable'
      return { crv: algorithm.crv, kty: 'EC', x: String(x), y: String(y) }
    }
    case 'OKP': {
      const point = bytes(jwk['x'])
      if (jwk['crv'] !== algorithm.crv || point?.length !== 32) return 'unusable'
      if (!isEd25519PointSafe(point)) return 'weak'
      return { crv: algorithm.crv, kty: 'OKP', x: String(jwk['x']) }
    }
    case 'RSA': {
      const modulus = bytes(jwk['n'])
      const exponent = bytes(jwk['e'])
      if (!modulus || !exponent || modulus[0] === 0 || exponent[0] === 0) return 'unusable'
      if (!isStrongRsa(modulus, exponent)) return 'weak'
      return { e: String(jwk['e']), kty: 'RSA', n: String(jwk['n']) }
    }
  }
}

/**
 * RFC 7518 §3.3 asks for 2048 bits at least; 8192, and 32 of the exponent, bound the work one
 * signature can cause. With an exponent below 65537 signatures can be forged where padding is
 * checked loosely.
 */
function isStrongRsa(modulus: Buffer, exponent: Buffer): boolean {
  const bits = modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24
  if (bits < 2048 || bits > 8192 || exponent.length > 4) return false
  const e = BigInt(`0x${exponent.toString('hex')}`)
  return e >= 65537n && e % 2n === 1n && (modulus.at(-1) ?? 0) % 2 === 1
}

function bytes(member: unknown): Buffer | undefined {
  return typeof member === 'string' ? decodeBase64url(member) : undefined
}
