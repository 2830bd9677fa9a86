/**
 * Two clients with one key: a real one (openid-client), which does everything right, and a bare
 * one, whose proofs are made by hand so that they can be wrong.
 */
import { createHash, randomUUID } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, SignJWT, type CryptoKey } from 'jose'
import * as oauth from 'openid-client'
import { CLIENT } from './issuer.ts'

interface KeyPair {
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
}

export interface ProofOptions {
  readonly method: string
  readonly url: string
  readonly token: string
  /** Default is now. */
  readonly issuedAt?: number
  /** Default is the key of the client. */
  readonly keys?: KeyPair
}

export interface DemoClient {
  readonly thumbprint: string
  readonly requestToken: (scope: string) => Promise<string>
  /** A request as openid-client makes it. */
  readonly send: (token: string, request: ClientRequest) => Promise<Response>
  /** The proof of the last `send`. */
  readonly lastProof: () => string
  readonly signProof: (options: ProofOptions) => Promise<string>
}

interface ClientRequest {
  readonly url: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export async function createClient(issuer: string, audience: string): Promise<DemoClient> {
  const keys = await createKeys()
  const config = await discover(issuer)
  const DPoP = oauth.getDPoPHandle(config, keys)
  let proof = ''
  config[oauth.customFetch] = (url, options) => {
    proof = new Headers(options.headers).get('dpop') ?? ''
    return fetch(url, options as RequestInit)
  }

  return {
    thumbprint: await calculateJwkThumbprint(await exportJWK(keys.publicKey)),
    async requestToken(scope) {
      const parameters = { scope, resource: audience }
      const { access_token } = await oauth.clientCredentialsGrant(config, parameters, { DPoP })
      return access_token
    },
    send(token, { url, method = 'GET', headers = {}, body }) {
      const sent = [new URL(url), method, body, new Headers(headers)] as const
      return oauth.fetchProtectedResource(config, token, ...sent, { DPoP }).catch(answerOf)
    },
    lastProof: () => proof,
    signProof: (options) => signProof({ keys, ...options }),
  }
}

function discover(issuer: string): Promise<oauth.Configuration> {
  return oauth.discovery(
    new URL(issuer),
    CLIENT.id,
    undefined,
    oauth.ClientSecretBasic(CLIENT.secret),
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- so marked to warn: not for production, where the issuer has https.
    { execute: [oauth.allowInsecureRequests] },
  )
}

/** A refusal with a challenge: to openid-client an error, to the tour an answer. */
function answerOf(error: unknown): Response {
  if (error instanceof oauth.WWWAuthenticateChallengeError) return error.response
  throw error
}

export function createKeys(): Promise<KeyPair> {
  return oauth.randomDPoPKeyPair('ES256', { extractable: true })
}

/** RFC 9449 §4.2. */
async function signProof(options: ProofOptions & { readonly keys: KeyPair }): Promise<string> {
  const { method, url, token, keys, issuedAt = Math.floor(Date.now() / 1000) } = options
  const ath = createHash('sha256').update(token).digest('base64url')
  return new SignJWT({ jti: randomUUID(), htm: method, htu: url, ath })
    .setProtectedHeader({
      typ: 'dpop+jwt',
      alg: 'ES256',
      jwk: await exportJWK(keys.publicKey),
    })
    .setIssuedAt(issuedAt)
    .sign(keys.privateKey)
}
