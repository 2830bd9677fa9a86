/**
 * A real authorization server, set up for one client and one API. It keeps everything in memory
 * and makes its signing key at start.
 * Alone: `ISSUER=http://localhost:9000 AUDIENCE=http://localhost:8080 node --import tsx demo/issuer.ts`.
 */
import { createServer, type Server } from 'node:http'
import { exportJWK, generateKeyPair } from 'jose'
import type { Adapter, AdapterPayload, Configuration } from 'oidc-provider'
import { listen } from './listen.ts'

export const CLIENT = { id: 'demo-client', secret: 'demo-secret' }
export const SCOPES = ['orders:read', 'orders:write']

interface IssuerOptions {
  /** Its URL, as tokens name it in `iss`. */
  readonly issuer: string
  /** The API tokens are for, as they name it in `aud`. */
  readonly audience: string
  readonly port: number
  /** Default is 127.0.0.1. */
  readonly host?: string
}

export async function startIssuer(options: IssuerOptions): Promise<Server> {
  const { Provider, errors } = await importProvider()
  const { issuer, audience, port, host = '127.0.0.1' } = options
  const resource = { audience, scope: SCOPES.join(' '), accessTokenFormat: 'jwt' } as const
  const provider = new Provider(issuer, {
    ...(await baseConfiguration()),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      // With a resource (RFC 8707) access tokens are JWTs for it (RFC 9068); without, opaque.
      resourceIndicators: {
        enabled: true,
        defaultResource: () => audience,
        getResourceServerInfo: (_, indicator) => {
          if (indicator !== audience) throw new errors.InvalidTarget()
          return resource
        },
      },
    },
  })
  provider.on('server_error', (_, error) => {
    console.error(error)
  })
  const handle = provider.callback()
  const server = createServer((request, response) => void handle(request, response))
  await listen(server, port, host)
  return server
}

async function baseConfiguration(): Promise<Configuration> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  return {
    adapter: createAdapter,
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig', kid: 'demo' }] },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    clients: [
      {
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        dpop_bound_access_tokens: true, // RFC 9449 §5.2: no token without a proof.
      },
    ],
    scopes: SCOPES,
    enabledJWA: {
      dPoPSigningAlgValues: ['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'PS256', 'RS256'],
    },
    ttl: { ClientCredentials: 600 },
  }
}

/** What oidc-provider must remember here: the proofs it has seen. Its own store warns at start. */
export function createAdapter(): Adapter {
  const entries = new Map<string, AdapterPayload>()
  const unused = () => Promise.resolve(undefined)
  return {
    upsert(id, payload, expiresIn = 600) {
      entries.set(id, payload)
      setTimeout(() => entries.delete(id), expiresIn * 1000).unref()
      return Promise.resolve()
    },
    find: (id) => Promise.resolve(entries.get(id)),
    destroy(id) {
      entries.delete(id)
      return Promise.resolve()
    },
    findByUserCode: unused,
    findByUid: unused,
    consume: unused,
    revokeByGrantId: unused,
  }
}

/** oidc-provider 9 is for Node 22 and later: on 20 it warns, and misses one function. */
export async function importProvider() {
  if (!('parse' in URL)) {
    const parse = (url: string, base?: string) =>
      URL.canParse(url, base) ? new URL(url, base) : null
    Object.assign(URL, { parse })
  }
  const { warn } = console
  console.warn = () => undefined
  try {
    return await import('oidc-provider')
  } finally {
    console.warn = warn
  }
}

if (process.argv[1] === import.meta.filename) {
  const { PORT = '9000', HOST = '0.0.0.0' } = process.env
  const { ISSUER = `http://localhost:${PORT}`, AUDIENCE = 'http://localhost:8080' } = process.env
  await startIssuer({ issuer: ISSUER, audience: AUDIENCE, port: Number(PORT), host: HOST })
  // As process 1 of a container it would ignore this signal.
  process.once('SIGTERM', () => process.exit())
  console.log(`issuer ${ISSUER} on port ${PORT}, for ${AUDIENCE}`)
}
