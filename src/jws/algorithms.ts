/** The signature algorithms of RFC 7518 §3.1, RFC 8037 and RFC 9864 that a public key can verify. */

interface Ecdsa {
  readonly kty: 'EC'
  readonly crv: 'P-256' | 'P-384' | 'P-521'
  readonly hash: string
  /** Length of r and s together, in bytes (RFC 7518 §3.4). */
  readonly signatureBytes: number
}

interface Rsa {
  readonly kty: 'RSA'
  readonly hash: string
  readonly padding: 'pss' | 'pkcs1'
}

interface Eddsa {
  readonly kty: 'OKP'
  readonly crv: 'Ed25519'
  readonly signatureBytes: number
}

export type Algorithm = Ecdsa | Rsa | Eddsa

export const ALGORITHMS = {
  ES256: { kty: 'EC', crv: 'P-256', hash: 'sha256', signatureBytes: 64 },
  ES384: { kty: 'EC', crv: 'P-384', hash: 'sha384', signatureBytes: 96 },
  ES512: { kty: 'EC', crv: 'P-521', hash: 'sha512', signatureBytes: 132 },
  PS256: { kty: 'RSA', hash: 'sha256', padding: 'pss' },
  PS384: { kty: 'RSA', hash: 'sha384', padding: 'pss' },
  PS512: { kty: 'RSA', hash: 'sha512', padding: 'pss' },
  EdDSA: { kty: 'OKP', crv: 'Ed25519', signatureBytes: 64 },
  Ed25519: { kty: 'OKP', crv: 'Ed25519', signatureBytes: 64 },
  RS256: { kty: 'RSA', hash: 'sha256', padding: 'pkcs1' },
  RS384: { kty: 'RSA', hash: 'sha384', padding: 'pkcs1' },
  RS512: { kty: 'RSA', hash: 'sha512', padding: 'pkcs1' },
} as const satisfies Record<string, Algorithm>

export type AlgorithmName = keyof typeof ALGORITHMS

export function isAlgorithmName(name: string): name is AlgorithmName {
  return Object.hasOwn(ALGORITHMS, name)
}

/** The algorithms named, with both names of Ed25519 where it has one (RFC 9864 §2.2). */
export function withAliases(algorithms: readonly AlgorithmName[]): ReadonlySet<AlgorithmName> {
  const names = new Set(algorithms)
  if (names.has('EdDSA') || names.has('Ed25519')) names.add('EdDSA').add('Ed25519')
  return names
}
