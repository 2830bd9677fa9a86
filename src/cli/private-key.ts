/** A private JWK from a file, ready to sign proofs with. */
import { readFile } from 'node:fs/promises'
import { importJWK, type CryptoKey, type JWK } from 'jose'
import { isAlgorithmName } from '../jws/algorithms.ts'
import { isJsonObject } from '../jws/json.ts'
import { commandError, errorCode } from './command.ts'

interface PrivateKey {
  readonly privateKey: CryptoKey
  /** The header parameters that say how to verify: RFC 9449 §4.2, a public key alone. */
  readonly header: { readonly alg: string; readonly jwk: JWK }
}

/** For keys that came from elsewhere and name no alg; `keygen` writes it. */
const ALGORITHM_OF: Readonly<Record<string, string>> = {
  'P-256': 'ES256',
  'P-384': 'ES384',
  'P-521': 'ES512',
  Ed25519: 'EdDSA',
  RSA: 'PS256',
}

const PUBLIC_MEMBERS = ['kty', 'crv', 'x', 'y', 'n', 'e']

export async function readPrivateKey(path: string): Promise<PrivateKey> {
  const jwk = await readJwk(path)
  if (typeof jwk['d'] !== 'string') throw commandError(`--key: ${path} holds no private key`)
  const alg = jwk['alg'] ?? ALGORITHM_OF[String(jwk['crv'] ?? jwk['kty'])]
  if (typeof alg !== 'string' || !isAlgorithmName(alg)) {
    throw commandError(`--key: ${path} is for an algorithm proofs are not signed with`)
  }
  const members = Object.entries(jwk).filter(([name]) => PUBLIC_MEMBERS.includes(name))
  return {
    privateKey: await importPrivate(jwk, alg, path),
    header: { alg, jwk: Object.fromEntries(members) },
  }
}

async function readJwk(path: string): Promise<Readonly<Record<string, unknown>>> {
  let content: string
  try {
    content = await readFile(path, 'utf8')
  } catch (error) {
    throw commandError(`--key: cannot read ${path} (${errorCode(error)})`)
  }
  try {
    const jwk: unknown = JSON.parse(content)
    if (isJsonObject(jwk)) return jwk
  } catch {
    // The parser's message would quote the key.
  }
  throw commandError(`--key: ${path} is not a JWK`)
}

async function importPrivate(jwk: JWK, alg: string, path: string): Promise<CryptoKey> {
  try {
    const key = await importJWK(jwk, alg)
    if (!(key instanceof Uint8Array)) return key
  } catch {
    // jose and WebCrypto fail in several ways here, and all of them mean the same to the user.
  }
  throw commandError(`--key: ${path} is not a usable private key for ${alg}`)
}
