/** docs/cases.md rows 31 and 32: pages of other origins, and the preflights of their browsers. */
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { looseSettings } from '../../src/config/loose-settings.ts'
import { parseConfig } from '../../src/config/load.ts'
import { introspected } from '../support/introspected.ts'
import type { Header } from '../support/raw-http.ts'
import type { RawResponse } from '../support/raw-response.ts'
import {
  createStage,
  PUBLIC_URL,
  type Answer,
  type Stage,
  type StageRequest,
} from '../support/stage.ts'
import type { Upstream } from '../support/upstream.ts'
import { outcome } from '../conformance/table.ts'

const APP = 'https://app.example.com'
const ADMIN = 'https://admin.example.com'

const routes = ({ url }: Pick<Upstream, 'url'>) => `\
- { name: read, path: /api/orders, methods: [GET], upstream: ${url}, scopes: [orders:read], dpop: { nonce: required }, cors: { origins: [${APP}, "http://localhost:5173"] } }
- { name: write, path: /api/orders, methods: [POST, OPTIONS], upstream: ${url}, cors: { origins: [${ADMIN}], credentials: true, maxAge: 1h, exposeHeaders: [Retry-After, dpop-nonce], allowHeaders: [If-Match] } }
- { name: delete, path: /api/orders, methods: [DELETE], upstream: ${url} }
- { name: open, path: /open/*, access: public, upstream: ${url}, cors: { origins: [${APP}], maxAge: 1500ms } }
- { name: any, path: /any/*, access: public, upstream: ${url}, cors: { origins: ["*"] } }
- { name: plain, path: /plain/*, upstream: ${url} }
- { name: down, path: /down, access: public, upstream: "http://127.0.0.1:1", cors: { origins: [${APP}] } }`

/** All that is said to a browser about other origins. Names in lower case. */
function said({ headers }: RawResponse): Record<string, string> {
  const names = headers.map(([name, value]) => [name.toLowerCase(), value] as const)
  const about = names.filter(([name]) => /^(access-control-.*|vary)$/.test(name))
  if (new Set(about.map(([name]) => name)).size < about.length) throw new Error('said twice')
  return Object.fromEntries(about)
}

const VARY = 'Origin, Access-Control-Request-Method'
const NOTHING = { vary: VARY }
const READ = {
  'access-control-allow-origin': APP,
  'access-control-allow-methods': 'GET, HEAD',
  'access-control-allow-headers': 'Authorization, DPoP, Content-Type',
  'access-control-max-age': '600',
  vary: VARY,
}
const WRITE = {
  'access-control-allow-origin': ADMIN,
  'access-control-allow-credentials': 'true',
  'access-control-allow-methods': 'POST, OPTIONS',
  'access-control-allow-headers': 'Authorization, DPoP, Content-Type, If-Match',
  'access-control-max-age': '3600',
  vary: VARY,
}
const USUAL = { ...READ, 'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE' }

interface Preflight {
  readonly name: string
  /** Default is `/api/orders`. */
  readonly path?: string
  readonly origin?: string
  readonly asks?: string
  readonly headers?: readonly Header[]
  /** Default is `204`. */
  readonly answer?: string
  readonly said: object
}

// prettier-ignore
const PREFLIGHTS: readonly Preflight[] = [
  { name: 'as a browser asks', headers: [['Access-Control-Request-Headers', 'authorization,dpop']], said: READ },
  { name: 'another origin of the list', origin: 'http://localhost:5173', said: { ...READ, 'access-control-allow-origin': 'http://localhost:5173' } },
  { name: 'for HEAD', asks: 'HEAD', said: READ },
  { name: 'another route of the path', asks: 'POST', origin: ADMIN, said: WRITE },
  { name: 'an origin of another route', asks: 'POST', said: NOTHING },
  { name: 'an origin of no route', origin: 'https://evil.example', said: NOTHING },
  { name: 'the origin of a sandboxed page', origin: 'null', said: NOTHING },
  { name: 'an origin below', origin: 'https://x.app.example.com', said: NOTHING },
  { name: 'an origin that begins alike', origin: `${APP}.evil.example`, said: NOTHING },
  { name: 'another scheme', origin: 'http://app.example.com', said: NOTHING },
  { name: 'another port', origin: `${APP}:8443`, said: NOTHING },
  { name: 'in upper case', origin: APP.toUpperCase(), said: NOTHING },
  { name: 'a header that is not allowed: the browser compares', headers: [['Access-Control-Request-Headers', 'x-other']], said: READ },
  { name: 'a method of no route, where one takes OPTIONS', asks: 'PUT', origin: ADMIN, said: NOTHING },
  { name: 'a method of a route without cors, likewise', asks: 'DELETE', origin: ADMIN, said: NOTHING },
  { name: 'a method in lower case', asks: 'get', said: NOTHING },
  { name: 'a public route', path: '/open/x', asks: 'PUT', said: { ...USUAL, 'access-control-max-age': '1' } },
  { name: 'a method that no default names', path: '/open/x', asks: 'PROPFIND', said: NOTHING },
  { name: 'any origin', path: '/any/x', origin: 'https://evil.example', said: { ...USUAL, 'access-control-allow-origin': '*' } },
  { name: 'with credentials, which it does not need', headers: [['Authorization', 'DPoP x'], ['DPoP', 'x']], said: READ },
  { name: 'a route without cors', path: '/plain/x', answer: '401 credentials_missing', said: {} },
  { name: 'a path of no route', path: '/nowhere', answer: '404 route_unknown', said: {} },
  { name: 'a method of no route', path: '/down', asks: 'TRACE', said: NOTHING },
]

t.test('#31 preflights', async (t) => {
  const { send, upstream } = await createStage(t, { routes })
  for (const { name, headers = [], answer = '204', ...row } of PREFLIGHTS) {
    const { path = '/api/orders', origin = APP, asks = 'GET' } = row
    const fields: Header[] = [
      ['Origin', origin],
      ['Access-Control-Request-Method', asks],
    ]
    const got = await send({ path, method: 'OPTIONS', credentials: fields, headers })
    t.equal(outcome(got), answer, name)
    t.strictSame(said(got), row.said, name)
    t.strictSame(got.values('www-authenticate').length, answer.startsWith('401') ? 1 : 0, name)
  }
  t.equal(upstream.requests.length, 0, 'none of it reaches the API')
})

t.test('#31 OPTIONS that is no preflight is a request like any other', async (t) => {
  const { send, upstream } = await createStage(t, { routes })
  const [origin, asks]: Header[] = [
    ['Origin', APP],
    ['Access-Control-Request-Method', 'GET'],
  ]
  const rows = [[origin], [asks], [origin, origin, asks], [origin, asks, asks]] as Header[][]
  for (const [at, credentials] of rows.entries()) {
    const options = { method: 'OPTIONS', credentials }
    t.equal(outcome(await send({ ...options, path: '/open/x' })), '200')
    t.equal(upstream.requests.length, at + 1)
    t.equal(outcome(await send(options)), '401 credentials_missing')
  }
  t.equal(upstream.requests.length, rows.length)
  const get = await send({ path: '/open/x', credentials: [origin, asks] as Header[] })
  t.equal(outcome(get), '200', 'nor is GET')
})

t.test('#31 a preflight with a body ends its connection', async (t) => {
  const { send } = await createStage(t, { routes })
  const asking: Header[] = [
    ['Origin', APP],
    ['Access-Control-Request-Method', 'GET'],
  ]
  const headers: Header[] = [...asking, ['Content-Length', '5']]
  const got = await send({ method: 'OPTIONS', credentials: headers, body: 'x' })
  t.equal(got.status, 204)
  t.strictSame(got.values('connection'), ['close'])
})

t.test('#31 a preflight is logged and counted', async (t) => {
  const { send, log, adminPort } = await createStage(t, { routes })
  const credentials: Header[] = [
    ['Origin', APP],
    ['Access-Control-Request-Method', 'GET'],
  ]
  await send({ method: 'OPTIONS', credentials })
  const lines = log().filter(({ path }) => path === '/api/orders')
  t.match(lines, [{ method: 'OPTIONS', route: 'read', status: 204 }])
  t.notMatch(lines[0], { code: String })
  const metrics = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text()
  t.match(metrics, /_count\{.*http_request_method="OPTIONS".*http_route="read".*\} 1/)
})

const EXPOSED = 'DPoP-Nonce, WWW-Authenticate'
const READABLE = {
  'access-control-allow-origin': APP,
  'access-control-expose-headers': EXPOSED,
  vary: 'Origin',
}

/** The nonce the gateway asks for, and how it was asked for. */
async function nonceOf(t: Test, { send }: Stage): Promise<string> {
  const asked = await send({ headers: [['Origin', APP]] })
  t.equal(outcome(asked), '401 proof_nonce')
  t.strictSame(said(asked), READABLE)
  t.match(asked.values('www-authenticate'), [/error="use_dpop_nonce"/])
  const [nonce = '', ...others] = asked.values('dpop-nonce')
  t.strictSame(others, [])
  return nonce
}

t.test('#32 what a page may read', async (t) => {
  const server = `  publicUrl: ${PUBLIC_URL}\n  limits: { bodyBytes: 1KiB }`
  const stage = await createStage(t, { routes, server })
  const { send, client, mint, upstream } = stage
  const nonce = await nonceOf(t, stage)
  const proof = { claims: { nonce } }
  const headers: Header[] = [['Origin', APP]]
  const token = await mint({ scope: 'orders:read' })
  const used = await client.proof({ url: `${PUBLIC_URL}/api/orders`, token, ...proof })
  // prettier-ignore
  const rows: readonly (StageRequest & { name: string; answer: string; said?: object })[] = [
    { name: 'success', token, proof: used, answer: '200' },
    { name: 'replayed', token, proof: used, answer: '401 proof_replayed' },
    { name: 'without credentials', credentials: [], answer: '401 credentials_missing' },
    { name: 'a bad request', credentials: [['Authorization', `DPoP ${token}`]], answer: '400 proof_missing' },
    { name: 'a scope is missing', claims: { scope: '' }, proof, answer: '403 scope_insufficient' },
    { name: 'from no page', token, proof, headers: [], answer: '200', said: { vary: 'Origin' } },
    { name: 'another origin', token, proof, headers: [['Origin', ADMIN]], answer: '200', said: { vary: 'Origin' } },
    { name: 'another origin is refused', credentials: [['Origin', ADMIN]], headers: [], answer: '401 credentials_missing', said: { vary: 'Origin' } },
    { name: 'two origins', token, proof, headers: [['Origin', APP], ['Origin', APP]], answer: '200', said: { vary: 'Origin' } },
    { name: 'what the operator adds', method: 'POST', headers: [['Origin', ADMIN]], answer: '200', said: { 'access-control-allow-origin': ADMIN, 'access-control-allow-credentials': 'true', 'access-control-expose-headers': 'dpop-nonce, WWW-Authenticate, Retry-After', vary: 'Origin' } },
    { name: 'a body beyond the limit', headers: [['Origin', APP], ['Content-Length', '1025']], answer: '413 body_too_large' },
    { name: 'the upstream is down', path: '/down', answer: '502 upstream_unreachable' },
    { name: 'any origin', path: '/any/x', headers: [['Origin', 'https://evil.example']], answer: '200', said: { 'access-control-allow-origin': '*', 'access-control-expose-headers': EXPOSED } },
    { name: 'no route', path: '/nowhere', answer: '404 route_unknown', said: {} },
    { name: 'no route for the method', method: 'PUT', answer: '405 method_unknown', said: {} },
  ]
  for (const { name, answer, said: expected = READABLE, ...request } of rows) {
    const got = await send({ headers, ...request })
    t.equal(outcome(got), answer, name)
    t.strictSame(said(got), expected, name)
    if (/^40[13]|^400/.test(answer)) t.equal(got.values('www-authenticate').length, 1, name)
  }
  t.strictSame(upstream.requests[0]?.values('origin'), [APP], 'the API may look at it too')
})

t.test('#32 an outage', async (t) => {
  const stage = await createStage(t, { routes, issuer: introspected() })
  const nonce = await nonceOf(t, stage)
  stage.authority.introspection.behave(500)
  const request = { token: stage.issue(), proof: { claims: { nonce } } }
  const got = await stage.send({ ...request, headers: [['Origin', APP]] })
  t.equal(outcome(got), '503 issuer_unavailable')
  t.strictSame(said(got), READABLE)
})

t.test('#32 what the upstream says of it is replaced', async (t) => {
  const { send, upstream } = await createStage(t, { routes })
  let headers: Readonly<Record<string, string | string[]>> = {}
  upstream.server.prependListener('request', (_, response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  })
  const theirs = {
    'Access-Control-Allow-Origin': 'https://evil.example',
    'Access-Control-Allow-Credentials': 'true',
    'Access-Control-Expose-Headers': '*',
    'Access-Control-Allow-Private-Network': 'true',
    'Access-Control-Max-Age': '86400',
  }
  const ask = (path: string, origin: string): Promise<Answer> =>
    send({ path, credentials: [['Origin', origin]] })

  headers = theirs
  t.strictSame(said(await ask('/open/x', APP)), READABLE)
  t.strictSame(said(await ask('/open/x', 'https://evil.example')), { vary: 'Origin' })
  const passed = said(await send({ path: '/plain/x', headers: [['Origin', APP]] }))
  t.match(
    passed,
    { 'access-control-allow-origin': 'https://evil.example' },
    'without cors it stands',
  )

  const rows: readonly [string | string[], string][] = [
    ['Accept', 'Accept, Origin'],
    ['Accept-Encoding,  Accept', 'Accept-Encoding, Accept, Origin'],
    [['Accept', 'Cookie'], 'Accept, Cookie, Origin'],
    ['Origin', 'Origin'],
    ['accept, origin', 'accept, Origin'],
    ['*', '*'],
    ['', 'Origin'],
  ]
  for (const [Vary, merged] of rows) {
    headers = { ...theirs, Vary }
    t.strictSame(said(await ask('/open/x', APP)), { ...READABLE, vary: merged })
    t.strictSame(said(await ask('/open/x', ADMIN)), { vary: merged })
  }
  headers = { Vary: 'Accept' }
  t.equal(said(await ask('/any/x', APP))['vary'], 'Accept', 'for any origin it is the same answer')
})

t.test('any origin is noted at start', async (t) => {
  const text = `issuers: { main: { issuer: "https://as.example.com", audience: x } }\nroutes:\n${routes({ url: 'http://127.0.0.1:1' })}`
  const config = parseConfig(text, { file: 'gateway.yaml', env: {} })
  const notes = looseSettings(config).filter((it) => it.includes('origin'))
  t.strictSame(notes, ['route any can be used by pages of any origin'])
})

t.test('the route of docs/browsers.md loads', async (t) => {
  const page = readFileSync(new URL('../../docs/browsers.md', import.meta.url), 'utf8')
  const [, route = ''] = /^```yaml\n(.*?)^```$/ms.exec(page) ?? []
  const text = `issuers: { main: { issuer: "https://as.example.com", audience: x } }\n${route}`
  const config = parseConfig(text, { file: 'browsers.md', env: {} })
  t.match(config.routes, [{ cors: { origins: ['https://app.example.com'] } }])
})
