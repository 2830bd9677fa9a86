/** The gateway between a real client, openid-client, and a real API, with a real issuer beside it. */
import { calculateJwkThumbprint, exportJWK } from 'jose'
import * as oauth from 'openid-client'
import { createKeys } from '../../demo/client.ts'
import { parseConfig } from '../../src/config/load.ts'
import { createGateway } from '../../src/gateway.ts'
import { createLogger } from '../../src/log.ts'
import type { Owner } from '../support/owner.ts'
import { until } from '../support/until.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'
import {
  AUDIENCE,
  REDIRECT_URI,
  SCOPE,
  SECRET,
  startProvider,
  type AuthorizationServer,
} from './oidc-provider.ts'

interface StageOptions {
  /** Members of the issuer besides `issuer` and, unless it is among them, `audience`. */
  readonly issuer?: object
  /** Members of its `introspection` besides `auth`. Left out: no introspection. */
  readonly introspection?: object
  /** Default is by client_secret_basic. */
  readonly auth?: (server: AuthorizationServer) => object
  /** RFC 9701. */
  readonly signsAnswers?: boolean
}

export interface RealClient {
  readonly thumbprint: string
  /** By client credentials. Without a resource the token is opaque and for nobody. */
  readonly requestToken: (resource?: string) => Promise<string>
  /** By an authorization code and PKCE, as a public client. */
  readonly requestUserTokens: (resource?: string) => Promise<UserTokens>
  readonly revoke: (token: string) => Promise<void>
  /** A request as openid-client makes it. */
  readonly send: (token: string, url: string) => Promise<Response>
  /** Header fields of the last `send`. */
  readonly lastHeaders: () => Headers
}

interface UserTokens {
  readonly access: string
  readonly refresh: string
}

export interface ProviderStage {
  readonly url: string
  readonly server: AuthorizationServer
  readonly upstream: Upstream
  readonly client: RealClient
  /** How the API answered, or the code the gateway refused with. */
  readonly send: (token: string, client?: RealClient) => Promise<string>
  /** Messages of the log so far. */
  readonly messages: () => readonly string[]
  /** Paths the gateway asked the issuer for at start. */
  readonly discovered: readonly string[]
}

const BASIC = { method: 'client_secret_basic', clientId: 'gateway-basic', clientSecret: SECRET }

export async function createProviderStage(
  t: Owner,
  options: StageOptions = {},
): Promise<ProviderStage> {
  const { signsAnswers = false } = options
  const server = await startProvider(t, { signsAnswers })
  const client = await createRealClient(server)
  const upstream = await startUpstream(t)
  const lines: string[] = []
  const logger = createLogger({ level: 'trace' }, { write: (line) => void lines.push(line) })
  const before = server.paths.length
  const gateway = createGateway(readConfig(options, server, upstream), { logger })
  const { traffic, admin } = await gateway.start()
  t.teardown(() => gateway.stop())
  await until(async () => (await fetch(`${admin}/readyz`)).status === 200)

  const url = `${traffic}/api/orders`
  return {
    url,
    server,
    upstream,
    client,
    send: async (token, sender = client) => outcome(await sender.send(token, url)),
    messages: () => lines.map((line) => (JSON.parse(line) as { readonly msg: string }).msg),
    discovered: server.paths.slice(before),
  }
}

function readConfig(options: StageOptions, server: AuthorizationServer, upstream: Upstream) {
  const { issuer, introspection, auth = () => BASIC } = options
  // JSON is YAML as well.
  const text = JSON.stringify({
    server: { listen: '127.0.0.1:0', drain: { delay: '0s', timeout: '2s' } },
    admin: { listen: '127.0.0.1:0' },
    issuers: {
      provider: {
        issuer: server.issuer,
        audience: AUDIENCE,
        ...issuer,
        ...(introspection && { introspection: { ...introspection, auth: auth(server) } }),
      },
    },
    routes: [{ name: 'api', path: '/api/*', upstream: upstream.url }],
  })
  return parseConfig(text, { file: 'gateway.yaml', env: {} })
}

/** `200`, or the status and the code of a refusal. */
export async function outcome(response: Response): Promise<string> {
  const { code } = (await response.json()) as { readonly code?: string }
  return [response.status, code].filter((it) => it !== undefined).join(' ')
}

/** With a key of its own, for all it does. */
export async function createRealClient({
  issuer,
  grantCode,
}: AuthorizationServer): Promise<RealClient> {
  const keys = await createKeys()
  const app = await discover(issuer, 'app', oauth.ClientSecretBasic(SECRET))
  const publicApp = await discover(issuer, 'public-app', oauth.None())
  let sent = new Headers()
  app[oauth.customFetch] = (url, options) => {
    sent = new Headers(options.headers)
    return fetch(url, options as RequestInit)
  }
  const DPoP = oauth.getDPoPHandle(app, keys)
  return {
    thumbprint: await calculateJwkThumbprint(await exportJWK(keys.publicKey)),
    async requestToken(resource) {
      const parameters = { scope: SCOPE, ...(resource !== undefined && { resource }) }
      const { access_token } = await oauth.clientCredentialsGrant(app, parameters, { DPoP })
      return access_token
    },
    async requestUserTokens(resource) {
      const pkceCodeVerifier = oauth.randomPKCECodeVerifier()
      const challenge = await oauth.calculatePKCECodeChallenge(pkceCodeVerifier)
      const code = await grantCode(challenge, resource)
      const landing = new URL(
        `?${new URLSearchParams({ code, iss: issuer }).toString()}`,
        REDIRECT_URI,
      )
      const { access_token, refresh_token } = await oauth.authorizationCodeGrant(
        publicApp,
        landing,
        { pkceCodeVerifier },
        resource === undefined ? {} : { resource },
        { DPoP: oauth.getDPoPHandle(publicApp, keys) },
      )
      if (refresh_token === undefined) throw new Error('no refresh token')
      return { access: access_token, refresh: refresh_token }
    },
    revoke: (token) => oauth.tokenRevocation(app, token),
    send(token, url) {
      const request = [new URL(url), 'GET', undefined, undefined] as const
      return oauth.fetchProtectedResource(app, token, ...request, { DPoP }).catch(answerOf)
    },
    lastHeaders: () => sent,
  }
}

function discover(
  issuer: string,
  clientId: string,
  authentication: oauth.ClientAuth,
): Promise<oauth.Configuration> {
  return oauth.discovery(new URL(issuer), clientId, undefined, authentication, {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- so marked to warn: not for production, where the issuer has https.
    execute: [oauth.allowInsecureRequests],
  })
}

/** A refusal with a challenge: to openid-client an error, here an answer. */
function answerOf(error: unknown): Response {
  if (error instanceof oauth.WWWAuthenticateChallengeError) return error.response
  throw error
}
