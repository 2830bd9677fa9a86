/**
 * A whole gateway with everything around it, in this process: a real issuer, a real upstream, a
 * client whose requests are valid by default, and the log. A test changes the one thing it is about.
 */
import { parseConfig } from '../../src/config/load.ts'
import { createGateway } from '../../src/gateway.ts'
import { createLogger } from '../../src/log.ts'
import { createClient, type Client, type ProofOptions } from './client.ts'
import {
  AUDIENCE,
  createAuthority,
  type Authority,
  type AuthorityOptions,
  type Overrides,
} from './jwks-server.ts'
import type { Owner } from './owner.ts'
import { request as sendRequest, type Header, type RawRequest } from './raw-http.ts'
import type { RawResponse } from './raw-response.ts'
import { startUpstream, type Upstream } from './upstream.ts'

export interface StageOptions {
  /** YAML of the routes. Default is one route `api` for everything below `/api/`. */
  readonly routes?: (upstream: Upstream) => string
  /** YAML put before the issuers and routes, such as `dpop: { maxAge: 30s }`. */
  readonly settings?: string
  /** YAML lines of the `server` mapping. Default pins publicUrl to PUBLIC_URL. */
  readonly server?: string
  /** YAML of `server.drain`. */
  readonly drain?: string
  /** What is otherwise at the authorization server. */
  readonly authority?: AuthorityOptions
  /** YAML members of the issuer, each on a line of its own. `issuer` and `audience` have defaults. */
  readonly issuer?: string | ((authority: Authority) => string)
  /** YAML of further issuers, each on a line of its own. */
  readonly moreIssuers?: string
  /** Epoch seconds. Default is the clock of the machine. */
  readonly clock?: () => number
  /** Whether to wait until it is ready. Default is true. */
  readonly awaitReady?: boolean
}

export interface StageRequest extends Omit<RawRequest, 'headers' | 'path'> {
  /** Default is `/api/orders`. */
  readonly path?: string
  /** Claims of the access token, its header, or the token itself. */
  readonly claims?: Overrides
  readonly tokenHeader?: Overrides
  readonly token?: string
  /** What the proof has otherwise than a valid one; or the proof itself. */
  readonly proof?: Partial<ProofOptions> | string
  /** Put after the valid Authorization and DPoP. */
  readonly headers?: readonly Header[]
  /** Instead of the valid Authorization and DPoP. */
  readonly credentials?: readonly Header[]
}

export interface Answer extends RawResponse {
  /** The code of a refusal; undefined where the gateway did not refuse. */
  readonly code: string | undefined
}

export interface Stage {
  readonly port: number
  readonly adminPort: number
  readonly authority: Authority
  readonly upstream: Upstream
  readonly client: Client
  /** Lines of the log so far, parsed. */
  readonly log: () => readonly Readonly<Record<string, unknown>>[]
  /** An access token bound to the client's key, valid but for the claims given. */
  readonly mint: (claims?: Overrides, header?: Overrides) => Promise<string>
  /** An opaque token bound to the client's key, valid but for the claims given. */
  readonly issue: (claims?: Overrides) => string
  /** Sends a request that is valid but for what is given. */
  readonly send: (request?: StageRequest) => Promise<Answer>
  /** Puts its configuration in force with the YAML changed. Resolves with whether it is. */
  readonly reload: (change: (yaml: string) => string) => Promise<boolean>
  readonly stop: () => Promise<void>
}

export const PUBLIC_URL = 'https://api.example.com'

export async function createStage(t: Owner, options: StageOptions = {}): Promise<Stage> {
  const authority = await createAuthority(t, options.authority)
  const upstream = await startUpstream(t)
  const client = await createClient()
  const lines: string[] = []
  const logger = createLogger({ level: 'trace' }, { write: (line) => void lines.push(line) })
  const text = yaml(options, authority, upstream)
  const parse = (yaml: string) => parseConfig(yaml, { file: 'stage.yaml', env: {} })
  const gateway = createGateway(parse(text), {
    logger,
    ...(options.clock && { clock: options.clock }),
  })
  const addresses = await gateway.start()
  let stopping: Promise<void> | undefined
  const stop = () => (stopping ??= gateway.stop())
  t.teardown(stop)
  const [port, adminPort] = [portOf(addresses.traffic), portOf(addresses.admin)]
  if (options.awaitReady !== false) await untilReady(adminPort)

  const mint: Stage['mint'] = (claims, header) =>
    authority.mint({ cnf: { jkt: client.thumbprint }, ...claims }, header)

  return {
    port,
    adminPort,
    authority,
    upstream,
    client,
    log: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>),
    mint,
    issue: (claims) =>
      authority.introspection.issue({ cnf: { jkt: client.thumbprint }, ...claims }),
    reload: (change) => gateway.reload(() => parse(change(text))),
    stop,
    async send(request = {}) {
      const { path = '/api/orders', headers = [], method = 'GET' } = request
      const credentials =
        request.credentials ?? (await valid(request, { path, method, mint, client }))
      const all = [...credentials, ...headers]
      const response = await sendRequest(port, { ...request, method, path, headers: all })
      return { ...response, code: codeOf(response) }
    },
  }
}

/** The credentials of a valid request, but for what is given. */
async function valid(
  { claims, tokenHeader, token: given, proof = {} }: StageRequest,
  { path, method, mint, client }: { path: string; method: string } & Pick<Stage, 'mint' | 'client'>,
): Promise<Header[]> {
  const token = given ?? (await mint(claims, tokenHeader))
  const signed =
    typeof proof === 'string'
      ? proof
      : await client.proof({ method, url: PUBLIC_URL + path, token, ...proof })
  return [
    ['Authorization', `DPoP ${token}`],
    ['DPoP', signed],
  ]
}

function yaml(options: StageOptions, authority: Authority, upstream: Upstream): string {
  const { server = `  publicUrl: ${PUBLIC_URL}`, settings = '' } = options
  const issuer =
    typeof options.issuer === 'function' ? options.issuer(authority) : (options.issuer ?? '')
  const routes =
    options.routes?.(upstream) ?? `- { name: api, path: /api/*, upstream: ${upstream.url} }`
  return [
    'server:',
    '  listen: 127.0.0.1:0',
    `  drain: ${options.drain ?? '{ delay: 0s, timeout: 2s }'}`,
    server,
    'admin: { listen: 127.0.0.1:0 }',
    settings,
    'issuers:',
    '  main:',
    ...(/^issuer:/m.test(issuer) ? [] : [`    issuer: ${authority.issuer}`]),
    ...(issuer.includes('audience:') ? [] : [`    audience: ${AUDIENCE}`]),
    ...issuer.split('\n').map((line) => `    ${line}`),
    ...(options.moreIssuers ?? '').split('\n').map((line) => `  ${line}`),
    'routes:',
    ...routes.split('\n').map((line) => `  ${line}`),
  ].join('\n')
}

/** The keys of the issuer are loaded in the background. */
async function untilReady(adminPort: number): Promise<void> {
  const deadline = AbortSignal.timeout(5000)
  while (!deadline.aborted) {
    const { status } = await fetch(`http://127.0.0.1:${adminPort}/readyz`)
    if (status === 200) return
  }
  throw new Error('the gateway did not become ready')
}

function portOf(url: string): number {
  return Number(new URL(url).port)
}

function codeOf({ body, values }: RawResponse): string | undefined {
  if (values('content-type')[0] !== 'application/json' || body === '') return undefined
  const content: unknown = JSON.parse(body)
  const code = typeof content === 'object' && content !== null && 'code' in content && content.code
  return typeof code === 'string' ? code : undefined
}
