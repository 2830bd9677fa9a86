/**
 * Clients with keys and tokens of their own, and the issuer whose key signs the tokens. By
 * node:crypto, which signs in a quarter of the time WebCrypto takes.
 */
import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  randomUUID,
  sign,
  type KeyObject,
} from 'node:crypto'
import { AUDIENCE, createAuthority, type Authority } from '../test/support/jwks-server.ts'
import type { Owner } from '../test/support/owner.ts'

export type Algorithm = 'ES256' | 'EdDSA' | 'RS256'

export interface Caller {
  readonly algorithm: Algorithm
  readonly privateKey: KeyObject
  /** The header segment of its proofs, which is the same in each. */
  readonly proofHeader: string
  readonly token: string
  /** The hash of the token, as `ath` has it. */
  readonly tokenHash: string
}

export interface Issuer {
  readonly authority: Authority
  /** A valid JWT access token for the key with this thumbprint. */
  readonly mint: (thumbprint: string) => string
  /** The same, opaque: it has to be introspected. */
  readonly issueOpaque: (thumbprint: string) => string
}

const LIFETIME_SECONDS = 3600

export async function createIssuer(owner: Owner): Promise<Issuer> {
  const authority = await createAuthority(owner)
  const { publicKey, privateKey } = createKeys('ES256')
  const kid = 'bench'
  authority.publish([{ ...publicJwk(publicKey), kid, alg: 'ES256', use: 'sig' }])
  const header = encode({ typ: 'at+jwt', alg: 'ES256', kid })
  return {
    authority,
    mint(jkt) {
      const iat = Math.floor(Date.now() / 1000)
      const claims = {
        iss: authority.issuer,
        aud: AUDIENCE,
        sub: 'alice',
        client_id: 'app',
        scope: 'read write',
        jti: randomUUID(),
        iat,
        exp: iat + LIFETIME_SECONDS,
        cnf: { jkt },
      }
      return signCompact(`${header}.${encode(claims)}`, privateKey, 'ES256')
    },
    issueOpaque(jkt) {
      const exp = Math.floor(Date.now() / 1000) + LIFETIME_SECONDS
      return authority.introspection.issue({ exp, cnf: { jkt } })
    },
  }
}

export function createCallers(
  count: number,
  issue: (thumbprint: string) => string,
  algorithm: Algorithm = 'ES256',
): readonly Caller[] {
  return Array.from({ length: count }, () => {
    const { publicKey, privateKey } = createKeys(algorithm)
    const jwk = publicJwk(publicKey)
    const token = issue(digest(JSON.stringify(jwk)))
    const proofHeader = encode({ typ: 'dpop+jwt', alg: algorithm, jwk })
    return { algorithm, privateKey, proofHeader, token, tokenHash: digest(token) }
  })
}

export function signCompact(input: string, key: KeyObject, algorithm: Algorithm): string {
  const hash = algorithm === 'EdDSA' ? null : 'sha256'
  const signature = sign(hash, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

export function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function createKeys(algorithm: Algorithm): { publicKey: KeyObject; privateKey: KeyObject } {
  if (algorithm === 'EdDSA') return generateKeyPairSync('ed25519')
  if (algorithm === 'RS256') return generateKeyPairSync('rsa', { modulusLength: 2048 })
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

/** The required members in the order of RFC 7638, so that its JSON is what a thumbprint hashes. */
function publicJwk(key: KeyObject): Readonly<Record<string, unknown>> {
  // Read again from DER: Node 20 may block for ever on the JWK of a key it has just generated.
  const der = key.export({ type: 'spki', format: 'der' })
  const jwk = createPublicKey({ key: der, type: 'spki', format: 'der' }).export({ format: 'jwk' })
  return Object.fromEntries(Object.entries(jwk).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
