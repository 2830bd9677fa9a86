/**
 * An authorization server as far as a gateway sees one: metadata, a JWK Set and access tokens. A
 * real HTTP server on a port of its own, whose behaviour a test can switch.
 */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CompactSign, exportJWK, generateKeyPair, type CryptoKey, type JWK } from 'jose'
import type { Owner } from './owner.ts'

/** How every endpoint answers. `empty`, `invalid` and `many` change the JWK Set alone. */
export type Behaviour =
  'ok' | 'error' | 'hang' | 'drip' | 'html' | 'redirect' | 'large' | 'empty' | 'invalid' | 'many'

export interface AuthorityOptions {
  /** Path of the issuer's URL, such as `/tenant`. Default is none. */
  readonly path?: string
  /** Algorithm of its keys. Default is ES256. */
  readonly alg?: string
  /** Which of the two metadata documents it has. Default is `oauth`. */
  readonly discovery?: 'oauth' | 'openid'
  /** Members that replace those of the metadata; undefined leaves one out. */
  readonly metadata?: Readonly<Record<string, unknown>>
}

/** Members that replace the valid ones; undefined leaves one out. */
export type Overrides = Readonly<Record<string, unknown>>

export interface Authority {
  readonly issuer: string
  readonly jwksUri: string
  /** How many requests each endpoint had. `elsewhere` is where `redirect` points. */
  readonly requests: { metadata: number; jwks: number; elsewhere: number }
  /** An access token that is valid but for what is replaced. */
  readonly mint: (claims?: Overrides, header?: Overrides) => Promise<string>
  /** The same for a payload as text, however malformed. */
  readonly sign: (payload: string, header?: Overrides) => Promise<string>
  /** The public keys of those it signs with, whatever it publishes. */
  readonly keys: () => readonly JWK[]
  /** Publishes these keys instead, whoever has their private parts. */
  readonly publish: (keys: readonly unknown[]) => void
  /** Signs with a new key from now on, and publishes that one alone. */
  readonly rotate: () => Promise<void>
  readonly behave: (behaviour: Behaviour, cacheControl?: string) => void
}

export const AUDIENCE = 'https://api.example.com'

/** Closed at the end of the test. */
export async function createAuthority(
  t: Owner,
  options: AuthorityOptions = {},
): Promise<Authority> {
  const { alg = 'ES256', path = '' } = options
  const requests = { metadata: 0, jwks: 0, elsewhere: 0 }
  const generations = { count: 0 }
  let signer = await createSigner(alg, generations)
  let published: readonly unknown[] = [signer.jwk]
  let respond: Respond = BEHAVIOURS.ok
  let headers: Readonly<Record<string, string>> = {}

  const origin = await listen(t, (request, response) => {
    const endpoint = endpointOf(request.url ?? '', path, options.discovery)
    if (endpoint === undefined) return void response.writeHead(404).end()
    requests[endpoint]++
    const document = endpoint === 'metadata' ? metadata : { keys: published }
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    respond(response, document)
  })
  const issuer = origin + path
  const jwksUri = `${issuer}/jwks`
  const metadata = { issuer, jwks_uri: jwksUri, ...options.metadata }

  const sign: Authority['sign'] = (payload, header) => signWith(signer, alg, payload, header)

  return {
    issuer,
    jwksUri,
    requests,
    sign,
    mint: (claims, header) => sign(JSON.stringify({ ...validClaims(issuer), ...claims }), header),
    keys: () => [signer.jwk],
    publish(keys) {
      published = keys
    },
    async rotate() {
      signer = await createSigner(alg, generations)
      published = [signer.jwk]
    },
    behave(behaviour, cacheControl) {
      respond = BEHAVIOURS[behaviour]
      headers = cacheControl === undefined ? {} : { 'cache-control': cacheControl }
    },
  }
}

/** The thumbprint of RFC 9449's example key. */
export const THUMBPRINT = '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I'

function validClaims(issuer: string) {
  const now = Math.floor(Date.now() / 1_000)
  return {
    iss: issuer,
    aud: AUDIENCE,
    sub: 'alice',
    client_id: 'app',
    scope: 'read write',
    iat: now,
    exp: now + 300,
    jti: randomUUID(),
    cnf: { jkt: THUMBPRINT },
  }
}

interface Signer {
  readonly jwk: JWK & { readonly kid: string }
  readonly privateKey: CryptoKey
}

function signWith({ jwk, privateKey }: Signer, alg: string, payload: string, header?: Overrides) {
  return new CompactSign(new TextEncoder().encode(payload))
    .setProtectedHeader({ typ: 'at+jwt', kid: jwk.kid, ...header, alg })
    .sign(privateKey)
}

/** kid counts per authority, so that two authorities use the same ones. */
async function createSigner(alg: string, generations: { count: number }): Promise<Signer> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  const kid = `key-${++generations.count}`
  return { jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }, privateKey }
}

function endpointOf(url: string, path: string, discovery: AuthorityOptions['discovery']) {
  if (url === `${path}/jwks`) return 'jwks'
  if (url === '/elsewhere') return 'elsewhere'
  const location =
    discovery === 'openid'
      ? `${path}/.well-known/openid-configuration`
      : `/.well-known/oauth-authorization-server${path}`
  return url === location ? 'metadata' : undefined
}

type Respond = (response: ServerResponse, document: object) => void

const json: Respond = (response, document) => {
  response.setHeader('content-type', 'application/json').end(JSON.stringify(document))
}

const withKeys =
  (keys: unknown): Respond =>
  (response, document) => {
    json(response, 'keys' in document ? { keys } : document)
  }

const BEHAVIOURS: Readonly<Record<Behaviour, Respond>> = {
  ok: json,
  error: (response) => void response.writeHead(500).end('{"keys":[]}'),
  hang: () => undefined,
  drip(response) {
    const timer = setInterval(() => response.write(' '), 10)
    response.on('close', () => {
      clearInterval(timer)
    })
  },
  html: (response) => void response.end('<!doctype html><title>Maintenance</title>'),
  redirect: (response) => void response.writeHead(302, { location: '/elsewhere' }).end(),
  large: (response, document) => {
    json(response, { ...document, padding: 'x'.repeat(1024 * 1024) })
  },
  empty: withKeys([]),
  invalid: withKeys({}),
  many: withKeys(Array.from({ length: 1_001 }, () => ({ kty: 'EC' }))),
}

type Handle = (request: IncomingMessage, response: ServerResponse) => void

async function listen(t: Owner, handle: Handle): Promise<string> {
  const server = createServer(handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
