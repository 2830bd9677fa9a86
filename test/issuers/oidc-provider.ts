/** A real authorization server in this process, node-oidc-provider, that tells what it was asked. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, exportPKCS8, generateKeyPair } from 'jose'
import type {
  ClientMetadata,
  Configuration,
  JWK,
  KoaContextWithOIDC,
  Provider,
} from 'oidc-provider'
import { createAdapter, importProvider } from '../../demo/issuer.ts'
import { listen } from '../../demo/listen.ts'
import type { Owner } from '../support/owner.ts'

export const AUDIENCE = 'https://api.example.com'
/** One API under two resource indicators (RFC 8707), by the format of the access tokens for it. */
export const RESOURCE = { jwt: AUDIENCE, opaque: `${AUDIENCE}/opaque` } as const
export const SCOPE = 'orders:read'
/** Every character that has a meaning in a form, in Basic or in YAML. */
export const SECRET = 's3cret: 100% a+b/c=d&e#f "g"'
export const REDIRECT_URI = 'https://app.example.com/callback'

/** A request to the introspection endpoint, and how it was answered. */
export interface Question {
  readonly clientId: string | undefined
  readonly accept: string
  readonly status: number
  /** Of the answer. */
  readonly type: string
  /** Members of a JSON object, or a JWT. */
  readonly body: unknown
}

export interface AuthorizationServer {
  readonly issuer: string
  /** PKCS #8 of the client `gateway-key`. */
  readonly privateKey: string
  /** Paths of all requests, oldest first. */
  readonly paths: readonly string[]
  /** Oldest first. */
  readonly questions: readonly Question[]
  /** What alice's consent yields for the public client: a code for the token endpoint. */
  readonly grantCode: (challenge: string, resource?: string) => Promise<string>
}

interface ServerOptions {
  /** RFC 9701: `features.jwtIntrospection`. Default is false. */
  readonly signsAnswers?: boolean
  /** Origins whose pages may ask for tokens. Default is none. */
  readonly pages?: readonly string[]
}

export async function startProvider(
  t: Owner,
  options: ServerOptions = {},
): Promise<AuthorizationServer> {
  const { Provider, errors } = await importProvider()
  // Before there is a provider, which must know its own URL.
  const server = createServer((request, response) => void handle(request, response))
  await listen(server, 0, '127.0.0.1')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const issuer = `http://127.0.0.1:${port}`
  const gatewayKey = await generateKeyPair('ES256', { extractable: true })
  const provider = new Provider(issuer, {
    ...(await baseConfiguration()),
    clients: [...APPS, ...gateways(await exportJWK(gatewayKey.publicKey))],
    clientDefaults: {
      id_token_signed_response_alg: 'ES256',
      ...(options.signsAnswers && { introspection_signed_response_alg: 'ES256' }),
    },
    clientBasedCORS: (_, origin) => options.pages?.includes(origin) ?? false,
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      revocation: {
        enabled: true,
        allowedPolicy: (_, client, { clientId }) => client.clientId === clientId,
      },
      introspection: {
        enabled: true,
        allowedPolicy: (_, client) => client.clientId.startsWith('gateway-'),
      },
      jwtIntrospection: { enabled: options.signsAnswers ?? false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, indicator) => {
          const format = FORMATS.find((it) => RESOURCE[it] === indicator)
          if (!format) throw new errors.InvalidTarget()
          return { audience: AUDIENCE, scope: SCOPE, accessTokenFormat: format }
        },
      },
    },
  })
  provider.on('server_error', (_, error) => {
    console.error(error)
  })

  const paths: string[] = []
  const questions: Question[] = []
  provider.use(async (ctx, next) => {
    paths.push(ctx.path)
    await next()
    const { oidc } = ctx as Partial<Pick<KoaContextWithOIDC, 'oidc'>>
    if (oidc?.route !== 'introspection') return
    const { status, type } = ctx
    // As it is sent: without the members that are undefined.
    const body: unknown = JSON.parse(JSON.stringify(ctx.body))
    const accept = ctx.get('accept')
    questions.push({ clientId: oidc.client?.clientId, accept, status, type, body })
  })
  const handle = provider.callback()

  return {
    issuer,
    privateKey: await exportPKCS8(gatewayKey.privateKey),
    paths,
    questions,
    grantCode: (challenge, resource) => grantCode(provider, challenge, resource),
  }
}

/** As its consent page would. */
async function grantCode(
  { Client, Grant, AuthorizationCode }: Provider,
  codeChallenge: string,
  resource: string | undefined,
): Promise<string> {
  const client = await Client.find('public-app')
  if (!client) throw new Error('no such client')
  const accountId = 'alice'
  const grant = new Grant({ accountId, clientId: client.clientId })
  grant.addOIDCScope('openid offline_access')
  if (resource !== undefined) grant.addResourceScope(resource, SCOPE)
  const code = new AuthorizationCode({
    client,
    accountId,
    scope: `openid offline_access ${SCOPE}`,
    resource,
    grantId: await grant.save(),
    gty: 'authorization_code',
    redirectUri: REDIRECT_URI,
    codeChallenge,
    codeChallengeMethod: 'S256',
  })
  return code.save()
}

const FORMATS = ['jwt', 'opaque'] as const

async function baseConfiguration(): Promise<Configuration> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  return {
    adapter: createAdapter,
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig', kid: 'first' }] },
    scopes: ['openid', 'offline_access', SCOPE],
    findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    ttl: {
      ...{ AccessToken: 600, AuthorizationCode: 60, ClientCredentials: 600 },
      ...{ Grant: 600, IdToken: 600, RefreshToken: 1200 },
    },
  }
}

const APPS: readonly ClientMetadata[] = [
  {
    client_id: 'app',
    client_secret: SECRET,
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
    dpop_bound_access_tokens: true,
  },
  {
    client_id: 'public-app',
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: [REDIRECT_URI],
    response_types: ['code'],
    dpop_bound_access_tokens: true,
  },
]

/** For introspection alone: each named after how it authenticates. */
function gateways(jwk: JWK): readonly ClientMetadata[] {
  const none = { grant_types: [], redirect_uris: [], response_types: [] }
  const secret = { ...none, client_secret: SECRET }
  return [
    { ...secret, client_id: 'gateway-basic', token_endpoint_auth_method: 'client_secret_basic' },
    { ...secret, client_id: 'gateway-post', token_endpoint_auth_method: 'client_secret_post' },
    {
      ...none,
      client_id: 'gateway-key',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [jwk] },
    },
  ]
}
