/** One signature verified with node:crypto, in the calling thread: for ES256 that is the cheapest. */
import { constants, verify } from 'node:crypto'
import { ALGORITHMS, type Algorithm } from './algorithms.ts'
import { decodeBase64url } from './base64url.ts'
import type { Segments } from './compact.ts'
import type { PublicKey } from './public-key.ts'

/** Whether `signature` over `signingInput` verifies. False for a malformed one; never throws. */
export function verifiesSignature(
  { signingInput, signature }: Segments,
  { algorithm: name, key }: PublicKey,
): boolean {
  const algorithm: Algorithm = ALGORITHMS[name]
  const bytes = decodeBase64url(signature)
  if (!bytes) return false
  const data = Buffer.from(signingInput, 'latin1')
  try {
    switch (algorithm.kty) {
      case 'EC':
        // RFC 7518 §3.4: r and s side by side, at full length; never DER.
        return (
          bytes.length === algorithm.signatureBytes &&
          verify(algorithm.hash, data, { key, dsaEncoding: 'ieee-p1363' }, bytes)
        )
      case 'OKP':
        return bytes.length === algorithm.signatureBytes && verify(null, data, key, bytes)
      case 'RSA':
        return verify(algorithm.hash, data, { key, ...PADDING[algorithm.padding] }, bytes)
    }
  } catch {
    return false
  }
}

const PADDING = {
  // RFC 7518 §3.5: the salt is as long as the hash.
  pss: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
  pkcs1: { padding: constants.RSA_PKCS1_PADDING },
} as const
