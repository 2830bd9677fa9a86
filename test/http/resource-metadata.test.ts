/** What is published about the resources of a configuration, and who may read it (RFC 9728). */
import t, { type Test } from 'tap'
import { readMetrics } from '../support/metrics.ts'
import type { Header } from '../support/raw-http.ts'
import { createStage, type Answer, type Stage, type StageRequest } from '../support/stage.ts'

const WELL_KNOWN = '/.well-known/oauth-protected-resource'
const HERE = 'https://api.example.com'
const API = (url: string) => `- { name: api, path: /api/*, upstream: ${url} }`

interface Setup {
  readonly routes?: (url: string) => string
  readonly settings?: string
  readonly server?: string
}

const stageOf = (t: Test, { routes = API, ...setup }: Setup = {}) =>
  createStage(t, {
    ...setup,
    settings: `dpop: { algorithms: [ES256, EdDSA] }\n${setup.settings ?? ''}`,
    routes: ({ url }) => routes(url),
    moreIssuers:
      'other: { issuer: https://other.example.com, audience: none, jwksUri: "http://127.0.0.1:1" }',
    // The other one does not answer.
    awaitReady: false,
  })

/** Asks without credentials. */
const ask = (stage: Stage, path: string, request: StageRequest = {}) =>
  stage.send({ credentials: [], ...request, path: WELL_KNOWN + path })

const at = (host: string): StageRequest => ({ headers: [['Host', host]] })

async function read(stage: Stage, path: string, request?: StageRequest) {
  const { status, body } = await ask(stage, path, request)
  return status === 200 ? (JSON.parse(body) as Readonly<Record<string, unknown>>) : status
}

t.test('what a document says', async (t) => {
  const stage = await stageOf(t, {
    settings: 'resource: { name: Shop, documentation: "https://docs.example.com/?v=1#auth" }',
    routes: (url) => `\
- { name: orders, path: /orders/*, upstream: ${url}, scopes: [orders:read], issuers: [main] }
- name: carts
  path: /carts
  upstream: ${url}
  access: dpop-or-bearer
  scopes: [carts]
  dpop: { algorithms: [ES256, RS256] }
  resource: { name: Carts }
- { name: status, path: /status, upstream: ${url}, access: public }
- { name: token, path: /token, upstream: ${url}, access: proof }`,
  })
  const documented = { resource_documentation: 'https://docs.example.com/?v=1#auth' }
  const issuers = [stage.authority.issuer, 'https://other.example.com']
  t.strictSame(await read(stage, '/orders'), {
    resource: `${HERE}/orders`,
    authorization_servers: [stage.authority.issuer],
    scopes_supported: ['orders:read'],
    dpop_bound_access_tokens_required: true,
    dpop_signing_alg_values_supported: ['ES256', 'EdDSA', 'Ed25519'],
    resource_name: 'Shop',
    ...documented,
  })
  t.strictSame(await read(stage, '/carts'), {
    resource: `${HERE}/carts`,
    authorization_servers: issuers,
    scopes_supported: ['carts'],
    dpop_bound_access_tokens_required: false,
    dpop_signing_alg_values_supported: ['ES256', 'RS256'],
    bearer_methods_supported: ['header'],
    resource_name: 'Carts',
    ...documented,
  })
  t.strictSame(
    await read(stage, ''),
    {
      resource: HERE,
      authorization_servers: issuers,
      scopes_supported: ['orders:read', 'carts'],
      dpop_bound_access_tokens_required: false,
      dpop_signing_alg_values_supported: ['ES256'],
      bearer_methods_supported: ['header'],
      resource_name: 'Shop',
      ...documented,
    },
    'the whole host: what all of its routes ask for, and proofs that all of them take',
  )
  for (const path of ['/status', '/token', '/orders/1', '/orders/', '/', '/none']) {
    t.equal(await read(stage, path), 404, path)
  }
  t.equal(stage.upstream.requests.length, 0)
})

const PATHS: readonly (readonly [route: string, resource: string])[] = [
  ['/a', '/a'],
  ['/a/', '/a/'],
  ['/a/*', '/a'],
  ['/a/:id', '/a'],
  ['/a/:id/b/*', '/a'],
  ['/a%20b/~c', '/a%20b/~c'],
  ['/', ''],
  ['/*', ''],
  ['/:tenant/a', ''],
]

for (const [route, path] of PATHS) {
  t.test(`the resource of the route ${route}`, async (t) => {
    const stage = await stageOf(t, {
      routes: (url) => `- { name: api, path: "${route}", upstream: ${url}, scopes: [a] }`,
    })
    t.match(await read(stage, path), { resource: HERE + path, scopes_supported: ['a'] })
    t.match(await read(stage, ''), { resource: HERE, scopes_supported: ['a'] })
    const target = route.replace(/:\w+/g, '1').replace('*', '2')
    const { values } = await stage.send({ path: target, credentials: [] })
    t.match(values('www-authenticate'), [`resource_metadata="${HERE}${WELL_KNOWN}${path}"`])
  })
}

t.test('routes of one resource share a document, what is at the host keeps its own', async (t) => {
  const stage = await stageOf(t, {
    routes: (url) => `\
- { name: read, path: /a/*, methods: [GET], upstream: ${url}, scopes: [read] }
- { name: write, path: "/a/:id", methods: [PUT], upstream: ${url}, scopes: [read, write], access: dpop-or-bearer, resource: { name: A } }
- { name: proofs, path: /b, methods: [GET], upstream: ${url}, dpop: { algorithms: [RS256] } }
- { name: other, path: /b, methods: [PUT], upstream: ${url}, dpop: { algorithms: [ES256] } }
- { name: rest, path: /*, upstream: ${url}, scopes: [rest], resource: { name: Rest } }`,
  })
  t.match(await read(stage, '/a'), {
    scopes_supported: ['read', 'write'],
    dpop_bound_access_tokens_required: false,
    resource_name: 'A',
  })
  const proofs = await read(stage, '/b')
  t.strictSame(Object.keys(proofs).sort(), [
    ...['authorization_servers', 'dpop_bound_access_tokens_required', 'resource'],
  ])
  t.strictSame(await read(stage, ''), {
    resource: HERE,
    authorization_servers: [stage.authority.issuer, 'https://other.example.com'],
    scopes_supported: ['rest'],
    dpop_bound_access_tokens_required: true,
    dpop_signing_alg_values_supported: ['ES256', 'EdDSA', 'Ed25519'],
    resource_name: 'Rest',
  })
})

t.test('several public URLs', async (t) => {
  const stage = await stageOf(t, {
    server: '  publicUrl: [https://a.example, "https://b.example:8443"]',
    routes: (url) => `\
- { name: both, path: /both, upstream: ${url} }
- { name: one, host: b.example, path: /one, upstream: ${url} }`,
  })
  t.match(await read(stage, '/both', at('a.example')), { resource: 'https://a.example/both' })
  t.match(await read(stage, '/both', at('b.example:8443')), {
    resource: 'https://b.example:8443/both',
  })
  t.match(await read(stage, '/one', at('b.example:8443')), {
    resource: 'https://b.example:8443/one',
  })
  t.equal(await read(stage, '/one', at('a.example')), 404)
  t.equal((await ask(stage, '/both', at('c.example'))).code, 'origin_unknown')

  for (const [host, origin] of [
    ['a.example', 'https://a.example'],
    ['b.example:8443', 'https://b.example:8443'],
    ['a.example', 'https://a.example'],
  ] as const) {
    const { values } = await stage.send({ path: '/both', credentials: [], ...at(host) })
    t.match(values('www-authenticate'), [`resource_metadata="${origin}${WELL_KNOWN}/both"`])
  }
})

t.test('a public URL with a path: the well-known path stands in front of it', async (t) => {
  const stage = await stageOf(t, { server: '  publicUrl: https://example.com/edge' })
  t.match(await read(stage, '/edge/api'), { resource: 'https://example.com/edge/api' })
  t.match(await read(stage, '/edge'), { resource: 'https://example.com/edge' })
  t.equal(await read(stage, '/api'), 404)
  const { values } = await stage.send({ credentials: [] })
  t.match(values('www-authenticate'), [
    `resource_metadata="https://example.com${WELL_KNOWN}/edge/api"`,
  ])
})

const UNSERVED = [
  ['no publicUrl: Host is the word of the client', { server: '' }],
  ['switched off', { settings: 'resource: { metadata: false }' }],
  [
    'nothing to protect',
    { routes: (url: string) => `- { name: api, path: /api/*, upstream: ${url}, access: public }` },
  ],
] as const

for (const [name, setup] of UNSERVED) {
  t.test(`not served: ${name}`, async (t) => {
    const stage = await stageOf(t, setup)
    t.equal(await read(stage, ''), 404)
    t.equal(await read(stage, '/api'), 404)
    const { values } = await stage.send({ credentials: [] })
    t.notMatch(values('www-authenticate').join(), 'resource_metadata')
  })
}

const METHODS: readonly (readonly [method: string, status: number])[] = [
  ['GET', 200],
  ['HEAD', 200],
  ['OPTIONS', 204],
  ['POST', 405],
  ['DELETE', 405],
  ['TRACE', 405],
]

t.test('anybody may read it, and nobody change it', async (t) => {
  const stage = await stageOf(t)
  for (const [method, status] of METHODS) {
    const answer = await ask(stage, '/api', { method })
    t.equal(answer.status, status, method)
    if (status === 405) {
      t.equal(answer.code, 'method_unknown')
      t.strictSame(answer.values('allow'), ['GET, HEAD, OPTIONS'], method)
      continue
    }
    t.strictSame(answer.values('access-control-allow-origin'), ['*'], method)
    t.equal(answer.body === '', method !== 'GET', method)
    t.equal(answer.values('date').length, 1)
    if (status === 204) continue
    t.strictSame(answer.values('content-type'), ['application/json'])
    t.strictSame(answer.values('cache-control'), ['public, max-age=3600'])
    t.match(answer.values('content-length'), [/^\d{3}$/])
  }
  t.equal((await ask(stage, '/api?x=1')).status, 200, 'whatever the query')
  t.equal(stage.upstream.requests.length, 0)
})

t.test('a page of any origin may ask, with fields of its own', async (t) => {
  const stage = await stageOf(t)
  const headers: readonly Header[] = [
    ['Origin', 'https://inspector.example'],
    ['Access-Control-Request-Method', 'GET'],
    ['Access-Control-Request-Headers', 'mcp-protocol-version'],
  ]
  const { status, values } = await ask(stage, '/api', { method: 'OPTIONS', headers })
  t.equal(status, 204)
  t.strictSame(values('access-control-allow-headers'), ['*'])
  t.match(values('access-control-allow-methods'), [/\bGET\b/])
  t.strictSame(values('content-length'), [])
})

t.test('a body is not waited for', async (t) => {
  const stage = await stageOf(t)
  const headers: readonly Header[] = [['Content-Length', '1000']]
  const { status, values } = await ask(stage, '/api', { headers })
  t.equal(status, 200)
  t.strictSame(values('connection'), ['close'])
})

t.test('it is logged and counted', async (t) => {
  const stage = await stageOf(t)
  await ask(stage, '/api')
  await ask(stage, '/api', { method: 'PUT' })
  const lines = stage.log().filter((line) => line['route'] === 'resource-metadata')
  t.match(lines, [
    { method: 'GET', path: `${WELL_KNOWN}/api`, status: 200 },
    { method: 'PUT', status: 405, code: 'method_unknown' },
  ])
  const series = [...(await readMetrics(stage.adminPort)).keys()]
  t.ok(series.some((it) => /_count\{.*http_route="resource-metadata"/.test(it)))
})

const OWN: readonly (readonly [path: string, isOwn: boolean, host?: string])[] = [
  [`${WELL_KNOWN}/api`, true],
  [`${WELL_KNOWN}/api`, false, 'elsewhere.example.com'],
  [`${WELL_KNOWN}/*`, true],
  [`${WELL_KNOWN}/:name`, true],
  [`${WELL_KNOWN}/:name/:more`, false],
  ['/.well-known/*', false],
  ['/*', false],
]

for (const [path, isOwn, host] of OWN) {
  const name = `a public route for ${host ?? ''}${path} ${isOwn ? 'comes first' : 'does not'}`
  t.test(name, async (t) => {
    const stage = await stageOf(t, {
      routes: (url) =>
        `${API(url)}\n- { name: own, path: "${path}", upstream: ${url}, access: public` +
        `${host === undefined ? '' : `, host: ${host}`} }`,
    })
    const [document, other] = [await ask(stage, '/api'), await ask(stage, '/api/2')]
    t.strictSame(document.values('cache-control').length, isOwn ? 0 : 1)
    t.equal(stage.upstream.requests.length, (isOwn ? 1 : 0) + (other.status === 200 ? 1 : 0))
    t.equal((await ask(stage, '')).values('cache-control').length, 1, 'that of the host is served')
    const { values } = await stage.send({ credentials: [] })
    t.match(values('www-authenticate'), [`resource_metadata="${HERE}${WELL_KNOWN}/api"`])
  })
}

t.test('a refusal that is no challenge names no metadata', async (t) => {
  const stage: Stage = await stageOf(t)
  const answers: readonly Answer[] = [
    await ask(stage, '/none'),
    await stage.send({ path: '/none' }),
    await stage.send({ headers: [['Expect', 'x']] }),
  ]
  for (const { values } of answers) t.strictSame(values('www-authenticate'), [])
})
