/**
 * A DPoP client that is valid by default, so that a test changes the one thing it is about. It
 * signs by itself, because jose would refuse to make most of the wrong proofs.
 */
import { createHash, randomUUID } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type CryptoKey, type JWK } from 'jose'
import type { AlgorithmName } from '../../src/jws/algorithms.ts'

export interface ProofOptions {
  /** Default is GET. */
  readonly method?: string
  /** The URL of the request; query and fragment are left out of `htu`. */
  readonly url: string
  /** The access token `ath` is made of. Left out: no `ath`. */
  readonly token?: string
  /** Header parameters instead of or besides the valid ones. The key still signs as its own. */
  readonly header?: Readonly<Record<string, unknown>>
  /** Claims instead of or besides the valid ones. */
  readonly claims?: Readonly<Record<string, unknown>>
  /** Names of header parameters and claims to leave out. */
  readonly omit?: readonly string[]
  /** Parts exactly as given. Header and payload are the bytes before base64url, and are signed. */
  readonly raw?: RawParts
  /** Signs in the place of the client's own key, which stays in the header. */
  readonly signer?: Client
}

interface RawParts {
  readonly header?: string | Uint8Array
  readonly payload?: string | Uint8Array
  /** Bytes of the signature, made of what would have been signed and the right signature. */
  readonly signature?: (right: Buffer, signingInput: string) => Uint8Array
}

export interface Client {
  readonly algorithm: AlgorithmName
  readonly thumbprint: string
  readonly publicJwk: JWK
  readonly privateKey: CryptoKey
  readonly proof: (options: ProofOptions) => Promise<string>
}

export async function createClient(algorithm: AlgorithmName = 'ES256'): Promise<Client> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true })
  const publicJwk = await exportJWK(publicKey)
  const client: Client = {
    algorithm,
    thumbprint: await calculateJwkThumbprint(publicJwk),
    publicJwk,
    privateKey,
    async proof(options) {
      const { omit = [], raw = {}, signer = client } = options
      const header = { typ: 'dpop+jwt', alg: algorithm, jwk: publicJwk, ...options.header }
      const claims = { ...validClaims(options), ...options.claims }
      const signingInput = [
        encode(raw.header ?? JSON.stringify(without(header, omit))),
        encode(raw.payload ?? JSON.stringify(without(claims, omit))),
      ].join('.')
      const right = await signBytes(signer, signingInput)
      return `${signingInput}.${encode(raw.signature?.(right, signingInput) ?? right)}`
    },
  }
  return client
}

/** RFC 9449 §4.2. */
function validClaims({ method = 'GET', url, token }: ProofOptions): Record<string, unknown> {
  return {
    jti: randomUUID(),
    htm: method,
    htu: url.replace(/[?#].*/s, ''),
    iat: Math.floor(Date.now() / 1000),
    ...(token !== undefined && { ath: createHash('sha256').update(token).digest('base64url') }),
  }
}

async function signBytes({ algorithm, privateKey }: Client, signingInput: string): Promise<Buffer> {
  const bits = algorithm.slice(2)
  const parameters = {
    ES: { name: 'ECDSA', hash: `SHA-${bits}` },
    PS: { name: 'RSA-PSS', saltLength: Number(bits) / 8 },
    RS: { name: 'RSASSA-PKCS1-v1_5' },
    Ed: { name: 'Ed25519' },
  }[algorithm.slice(0, 2) as 'ES' | 'PS' | 'RS' | 'Ed']
  return Buffer.from(await crypto.subtle.sign(parameters, privateKey, Buffer.from(signingInput)))
}

function without(members: object, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([name]) => !names.includes(name)))
}

function encode(value: string | Uint8Array): string {
  return Buffer.from(value).toString('base64url')
}
