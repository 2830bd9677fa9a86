/** A private key of the gateway's own, from the text of a PEM (PKCS #8) or a JWK. */
import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import { ALGORITHMS, isAlgorithmName, type AlgorithmName } from './algorithms.ts'
import { parseJsonObject, type JsonObject } from './json.ts'

export interface SigningKey {
  readonly key: KeyObject
  readonly algorithm: AlgorithmName
  readonly keyId: string | undefined
}

/** What the usual algorithm of a key is, by its curve or else its kind. */
const USUAL: Readonly<Record<string, AlgorithmName>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
  ed25519: 'EdDSA',
  rsa: 'RS256',
}
const MIN_RSA_BITS = 2048

/** The key, or what is wrong in a few words that quote nothing of it. */
export function readSigningKey(text: string, chosen?: AlgorithmName): SigningKey | string {
  const jwk = parseJsonObject(Buffer.from(text))
  const key = importKey(text, jwk)
  if (!key) return 'is not a private key, as PEM (PKCS #8) or JWK'
  const usual = USUAL[key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType ?? '']
  if (usual === undefined) return 'is a key of a kind that is not used here'
  if ((key.asymmetricKeyDetails?.modulusLength ?? MIN_RSA_BITS) < MIN_RSA_BITS) {
    return `is too weak: RSA needs ${MIN_RSA_BITS} bits`
  }
  if (!isWhole(key, jwk)) return 'is a private key that does not fit its public one'
  const algorithm = chosen ?? jwk?.['alg'] ?? usual
  if (typeof algorithm !== 'string' || !isAlgorithmName(algorithm) || !fits(algorithm, usual)) {
    return 'is not a key for its algorithm'
  }
  return { key, algorithm, keyId: typeof jwk?.['kid'] === 'string' ? jwk['kid'] : undefined }
}

function importKey(text: string, jwk: JsonObject | undefined): KeyObject | undefined {
  try {
    return jwk ? createPrivateKey({ key: { ...jwk }, format: 'jwk' }) : createPrivateKey(text)
  } catch {
    return undefined // The messages of OpenSSL help nobody.
  }
}

/** A JWK has both parts, and OpenSSL takes each of them at its word. */
function isWhole(key: KeyObject, jwk: JsonObject | undefined): boolean {
  try {
    const publicKey = createPublicKey(key)
    const { x = jwk?.['x'] } = publicKey.export({ format: 'jwk' })
    const hash = key.asymmetricKeyType === 'ed25519' ? null : 'sha256'
    const probe = Buffer.from('probe')
    return (!jwk || x === jwk['x']) && verify(hash, probe, publicKey, sign(hash, probe, key))
  } catch {
    return false
  }
}

/** All but RSA keys are for one algorithm, which may have two names. */
function fits(algorithm: AlgorithmName, usual: AlgorithmName): boolean {
  const { kty, ...wanted } = ALGORITHMS[algorithm]
  const { kty: own, ...has } = ALGORITHMS[usual]
  return kty === own && (kty === 'RSA' || JSON.stringify(wanted) === JSON.stringify(has))
}
