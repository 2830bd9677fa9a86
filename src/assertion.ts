/**
 * Who the caller is, signed by the gateway for the upstream: a JWT (RFC 7519) that cannot be taken
 * for an access token or an ID token (RFC 8725 §3.11).
 */
import { createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import type { Config } from './config/schema.ts'
import type { Grant } from './gate.ts'
import { readPublicKey } from './jws/public-key.ts'
import { readSigningKey } from './jws/signing-key.ts'
import type { AccessToken } from './token/access-token.ts'

const TYPE = 'dpop-gateway-assertion+jwt'
const ALGORITHM = 'ES256'

export interface AssertionRules {
  readonly audience: string
  readonly lifetimeSeconds: number
  /** Names of further claims of the token that are handed on. */
  readonly claims: readonly string[]
}

/** The assertion for an admitted request; undefined where it came without a token. */
export type Assert = (grant: Pick<Grant, 'token' | 'proof' | 'now'>) => string | undefined

export interface Assertions {
  readonly createAssert: (rules: AssertionRules) => Assert
  /** The JWK Set (RFC 7517 §5) to verify them with, as JSON: public members alone. */
  readonly keySet: string
}

/** `keys` are private keys, PKCS #8 as PEM or JWK: the first signs, all are published. */
export function createAssertions(issuer: string, keys: readonly string[]): Assertions {
  const signers = keys.map(readSigner)
  const [signer] = signers
  if (!signer) throw new Error('there is no key to sign with')
  return {
    createAssert: (rules) => createAssert(issuer, signer, rules),
    keySet: JSON.stringify({ keys: signers.map(({ jwk }) => jwk) }),
  }
}

/** `own` signs where the configuration names no key. Its issuer was checked: where one is needed, there is one. */
export function compileAssertions({ assertion, server }: Config, own: string): Assertions {
  const { publicUrl } = server
  const { issuer = typeof publicUrl === 'string' ? publicUrl : '', keys = [own] } = assertion
  return createAssertions(issuer, keys)
}

/** A new key, as PEM. Node 20 can hang when it exports a new key itself as JWK. */
export function createAssertionKey(): string {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  return privateKey
}

interface Signer {
  readonly key: KeyObject
  /** Its header, in base64url. */
  readonly header: string
  readonly jwk: object
}

function readSigner(text: string): Signer {
  const signingKey = readSigningKey(text, ALGORITHM)
  if (typeof signingKey === 'string') throw new Error(`the key for assertions ${signingKey}`)
  const { kty, crv, x, y } = createPublicKey(signingKey.key).export({ format: 'jwk' })
  const publicKey = readPublicKey({ kty, crv, x, y }, ALGORITHM)
  if (typeof publicKey === 'string') throw new Error(`the key for assertions is ${publicKey}`)
  const kid = publicKey.thumbprint
  return {
    key: signingKey.key,
    header: encode({ typ: TYPE, alg: ALGORITHM, kid }),
    jwk: { kty, crv, x, y, kid, alg: ALGORITHM, use: 'sig' },
  }
}

interface Kept {
  readonly assertion: string
  readonly issuedAt: number
  readonly renewAt: number
}

/**
 * Signed once for a token and then again after half of its lifetime. It is kept with the token it
 * speaks of, so that no request can have that of another, and goes when that goes. As several
 * requests share one there is no `jti` in it.
 */
function createAssert(issuer: string, signer: Signer, rules: AssertionRules): Assert {
  const known = new WeakMap<AccessToken, Kept>()
  return ({ token, proof, now }) => {
    if (!token) return undefined
    const kept = known.get(token)
    if (kept && now >= kept.issuedAt && now < kept.renewAt) return kept.assertion
    // It does not outlive the token.
    const expiresAt = Math.min(now + rules.lifetimeSeconds, Math.ceil(token.expiresAt))
    const assertion = signJwt(signer, {
      ...furtherClaims(token, rules.claims),
      iss: issuer,
      aud: rules.audience,
      sub: token.subject,
      client_id: token.clientId,
      scope: token.scopes.length > 0 ? token.scopes.join(' ') : undefined,
      token_iss: token.issuer,
      cnf: proof && { jkt: proof.thumbprint },
      iat: now,
      exp: expiresAt,
    })
    known.set(token, { assertion, issuedAt: now, renewAt: now + (expiresAt - now) / 2 })
    return assertion
  }
}

function furtherClaims({ claims }: AccessToken, names: readonly string[]) {
  const held = names.filter((name) => Object.hasOwn(claims, name))
  return Object.fromEntries(held.map((name) => [name, claims[name]]))
}

/** RFC 7515 §7.1. Of ECDSA both numbers side by side (RFC 7518 §3.4). */
function signJwt({ key, header }: Signer, claims: object): string {
  const input = `${header}.${encode(claims)}`
  const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
