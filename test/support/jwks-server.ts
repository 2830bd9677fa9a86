/**
 * An authorization server as far as a gateway sees one: metadata, a JWK Set, access tokens and
 * their introspection. A real HTTP server on a port of its own, whose behaviour a test can switch.
 */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { JWK } from 'jose'
import {
  createIntrospectionEndpoint,
  type IntrospectionEndpoint,
} from './introspection-endpoint.ts'
import type { Owner } from './owner.ts'
import { createPublished, type Behaviour, type Published } from './published.ts'
import { createAuthentication, GATEWAY, type RegisteredClient } from './registered-client.ts'
import { createSigner, signWith, type Overrides } from './signer.ts'
import { createTokenEndpoint, type TokenEndpoint } from './token-endpoint.ts'

export type { Behaviour, Overrides }

export interface AuthorityOptions {
  /** Path of the issuer's URL, such as `/tenant` or `/`. Default is none. */
  readonly path?: string
  /** Paths below the issuer. Defaults are `/jwks`, `/introspect` and `/token`. */
  readonly endpoints?: Partial<Endpoints>
  /** Algorithm of its keys. Default is ES256. */
  readonly alg?: string
  /** Which of the two metadata documents it has. Default is `oauth`. */
  readonly discovery?: 'oauth' | 'openid'
  /** Members that replace those of the metadata; undefined leaves one out. */
  readonly metadata?: Overrides
  /** What the gateway authenticates as. Default is GATEWAY. */
  readonly client?: Partial<RegisteredClient>
}

interface Endpoints {
  readonly jwks: string
  readonly introspection: string
  readonly token: string
}

export interface Authority {
  readonly issuer: string
  readonly jwksUri: string
  readonly introspectionUri: string
  readonly tokenUri: string
  /** How many requests it had for what it publishes. `elsewhere` is where `redirect` points. */
  readonly requests: Published['requests']
  readonly introspection: IntrospectionEndpoint
  readonly tokenEndpoint: TokenEndpoint
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
  /** How metadata and keys are answered; the other endpoints have a switch of their own. */
  readonly behave: Published['behave']
}

export const AUDIENCE = 'https://api.example.com'

/** Closed at the end of the test. */
export async function createAuthority(
  t: Owner,
  options: AuthorityOptions = {},
): Promise<Authority> {
  const { alg = 'ES256', path = '' } = options
  const published = createPublished()
  let generation = 1
  // kid counts per authority, so that two authorities use the same ones.
  let signer = await createSigner(alg, `key-${generation}`)
  let keys: readonly unknown[] = [signer.jwk]
  const handlers = new Map<string, Handle>()

  const origin = await listen(t, (request, response) => {
    const handle = handlers.get(request.url ?? '')
    return handle ? handle(request, response) : response.writeHead(404).end()
  })
  const issuer = origin + path
  const url = urlsOf(issuer, options)
  const client = { ...GATEWAY, ...options.client }
  const sign: Authority['sign'] = (payload, header) => signWith(signer, payload, header)
  const token = createTokenEndpoint(client)
  const introspection = createIntrospectionEndpoint({
    issuer,
    clientId: client.id,
    validClaims: () => ({ active: true, token_type: 'DPoP', ...validClaims(issuer) }),
    sign,
    authenticate: createAuthentication({ client, issuer, isIssued: token.isIssued }),
  })
  const metadata = {
    issuer,
    jwks_uri: url.jwks,
    introspection_endpoint: url.introspection,
    token_endpoint: url.token,
    ...options.metadata,
  }
  const serve = (location: string, handle: Handle) => {
    handlers.set(new URL(location).pathname, handle)
  }
  serve(
    url.metadata,
    published.handle('metadata', () => metadata),
  )
  serve(
    url.jwks,
    published.handle('jwks', () => ({ keys })),
  )
  serve(
    `${origin}/elsewhere`,
    published.handle('elsewhere', () => metadata),
  )
  serve(url.introspection, introspection.handle)
  serve(url.token, token.handle)

  return {
    issuer,
    jwksUri: url.jwks,
    introspectionUri: url.introspection,
    tokenUri: url.token,
    requests: published.requests,
    introspection: introspection.endpoint,
    tokenEndpoint: token.endpoint,
    sign,
    mint: (claims, header) => sign(JSON.stringify({ ...validClaims(issuer), ...claims }), header),
    keys: () => [signer.jwk],
    publish(others) {
      keys = others
    },
    async rotate() {
      generation += 1
      signer = await createSigner(alg, `key-${generation}`)
      keys = [signer.jwk]
    },
    behave: published.behave,
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

function urlsOf(issuer: string, { discovery, endpoints }: AuthorityOptions) {
  const base = issuer.replace(/\/$/, '')
  const { origin } = new URL(issuer)
  const path = base.slice(origin.length)
  return {
    jwks: base + (endpoints?.jwks ?? '/jwks'),
    introspection: base + (endpoints?.introspection ?? '/introspect'),
    token: base + (endpoints?.token ?? '/token'),
    metadata:
      discovery === 'openid'
        ? `${base}/.well-known/openid-configuration`
        : `${origin}/.well-known/oauth-authorization-server${path}`,
  }
}

type Handle = (request: IncomingMessage, response: ServerResponse) => unknown

async function listen(t: Owner, handle: Handle): Promise<string> {
  const server = createServer(handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
