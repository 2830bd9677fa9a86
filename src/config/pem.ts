/** Certificates and keys in PEM (RFC 7468), and what is wrong with them, in a few words. */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { createSecureContext } from 'node:tls'

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g
const ENCRYPTED = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m

/** In the order of the file. Throws what is wrong, as text. */
export function readCertificates(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(CERTIFICATE) ?? []
  if (blocks.length === 0) throw new Error('holds no certificate in PEM')
  return blocks.map((block, at) => {
    try {
      return new X509Certificate(block)
    } catch {
      throw new Error(`certificate ${at + 1} in it cannot be read`)
    }
  })
}

/** A chain begins with the certificate of the server, each certified by the next (RFC 8446 §4.4.2). */
export function readChain(pem: string): readonly X509Certificate[] {
  const chain = readCertificates(pem)
  for (const [at, certificate] of chain.entries()) {
    const issuer = chain[at + 1]
    if (issuer && !certificate.checkIssued(issuer)) {
      throw new Error(`certificate ${at + 2} in it is not that of the issuer of the one before`)
    }
  }
  return chain
}

/** Never says anything of what is in it. */
export function readPrivateKey(pem: string): KeyObject {
  if (ENCRYPTED.test(pem)) throw new Error('the key is encrypted: nobody is asked for a passphrase')
  try {
    return createPrivateKey(pem)
  } catch {
    throw new Error('holds no private key in PEM')
  }
}

/** OpenSSL has rules of its own, such as how long a key must be. */
export function requireUsable(cert: string, key: string): void {
  try {
    createSecureContext({ cert, key })
  } catch (error) {
    const reason = error instanceof Error && 'reason' in error ? String(error.reason) : 'no reason'
    throw new Error(`is refused by OpenSSL: ${reason}`, { cause: error })
  }
}
