/** A JWK Set (RFC 7517 §5) read as the keys that access tokens may be verified with. */
import type { AlgorithmName } from '../jws/algorithms.ts'
import { isJsonObject, type JsonObject } from '../jws/json.ts'
import { readPublicKey, type KeyFault, type PublicKey } from '../jws/public-key.ts'

export interface Jwks {
  /** A key that fits several algorithms stands here once for each. */
  readonly keys: readonly IdentifiedKey[]
  /** A sentence for each key that is left out. Holds no key material. */
  readonly skipped: readonly string[]
  /** Equal for two documents with the same keys, in whatever order. */
  readonly fingerprint: string
}

export interface IdentifiedKey {
  readonly kid: string | undefined
  readonly publicKey: PublicKey
}

const MAX_KEYS = 1_000

/** Throws an Error when the document is no JWK Set or has no key to verify with. */
export function readJwks(document: JsonObject, algorithms: ReadonlySet<AlgorithmName>): Jwks {
  const members: unknown = document['keys']
  if (!Array.isArray(members)) throw new Error('the document is not a JWK Set')
  if (members.length > MAX_KEYS) throw new Error(`the JWK Set has more than ${MAX_KEYS} keys`)

  const keys: IdentifiedKey[] = []
  const skipped: string[] = []
  for (const jwk of members.map((member: unknown) => (isJsonObject(member) ? member : {}))) {
    // RFC 7517 §5: keys that are not understood are ignored, so that issuers can add new kinds.
    const read = [...algorithms].map((algorithm) => readPublicKey(jwk, algorithm))
    const usable = read.filter((key) => typeof key === 'object')
    const kid = typeof jwk['kid'] === 'string' ? jwk['kid'] : undefined
    keys.push(...usable.map((publicKey) => ({ kid, publicKey })))
    if (usable.length === 0) skipped.push(`key ${kid ?? 'without kid'} ${describeFault(jwk, read)}`)
  }
  if (keys.length === 0) throw new Error(['no key to verify with', ...skipped].join('; '))
  return { keys, skipped, fingerprint: fingerprintOf(keys) }
}

function describeFault(jwk: JsonObject, faults: readonly (KeyFault | PublicKey)[]): string {
  if (jwk['kty'] === 'oct') return 'is symmetric: whoever can verify with it can sign with it'
  if (faults.includes('private')) return 'is published with its private part: replace it'
  if (faults.includes('weak')) return 'is too weak'
  if (jwk['use'] === 'enc') return 'is for encryption'
  return 'is malformed or fits none of the accepted algorithms'
}

function fingerprintOf(keys: readonly IdentifiedKey[]): string {
  return keys
    .map(({ kid, publicKey }) => JSON.stringify([kid, publicKey.algorithm, publicKey.thumbprint]))
    .sort()
    .join()
}
