/** Routes with `observe: true`: everything is decided, counted and logged, and nothing is blocked. */
import t, { type Test } from 'tap'
import { check } from '../src/cli/check.ts'
import { runCommand } from './support/io.ts'
import { readMetrics } from './support/metrics.ts'
import type { Header } from './support/raw-http.ts'
import { closedUrl } from './support/raw-upstream.ts'
import { createStage, PUBLIC_URL, type StageOptions, type StageRequest } from './support/stage.ts'
import { until } from './support/until.ts'

type Upstreams = Parameters<NonNullable<StageOptions['routes']>>[0]

const routes =
  (more = '') =>
  ({ url }: Upstreams) =>
    `- { name: api, path: /api/*, upstream: ${url}, observe: true${more} }`

async function createObserved(t: Test, options: StageOptions = {}) {
  const stage = await createStage(t, { routes: routes(), ...options })
  const logged = async (count: number) => {
    const lines = () => stage.log().filter(({ msg }) => msg === 'request')
    await until(() => lines().length >= count)
    return lines()
  }
  return { ...stage, logged }
}

const SPOOFED: readonly Header[] = [
  ['X-Auth-Subject', 'root'],
  ['X-Auth-Thumbprint', 'mine'],
  ['X_Auth_Issuer', 'me'],
]
const IDENTITY = ['subject', 'client', 'scope', 'issuer', 'thumbprint'].map((it) => `x-auth-${it}`)
const credentials = (value: string): StageRequest => ({ credentials: [['Authorization', value]] })

// prettier-ignore
const REFUSED: readonly (readonly [code: string, request: StageRequest])[] = [
  ['credentials_missing', { credentials: [] }],
  ['credentials_malformed', credentials('DPoP')],
  ['proof_missing', credentials('DPoP x')],
  ['token_malformed', credentials('Bearer x')],
  ['token_expired', { claims: { exp: 1 } }],
  ['token_unbound', { claims: { cnf: undefined } }],
  ['proof_method', { proof: { method: 'PUT' } }],
  ['proof_malformed', { proof: 'x' }],
  ['scope_insufficient', { claims: { scope: 'other' } }],
  ['claim_refused', { claims: { tenant: 'other' } }],
  ['authentication_insufficient', { claims: { tenant: 'acme' } }],
]

t.test('what would be refused reaches the upstream, without an identity', async (t) => {
  const strict = routes(', scopes: [read], claims: { tenant: acme }, acr: [mfa]')
  const { send, upstream, logged, adminPort } = await createObserved(t, { routes: strict })
  for (const [code, request] of REFUSED) {
    const before = upstream.requests.length
    const answer = await send({ ...request, headers: SPOOFED })
    t.match(answer, { status: 200, code: undefined }, code)
    t.strictSame(answer.values('www-authenticate'), [], code)
    t.equal(upstream.requests.length, before + 1, code)
    for (const name of [...IDENTITY, 'x_auth_issuer', 'authorization', 'dpop']) {
      t.strictSame(upstream.requests.at(-1)?.values(name), [], `${code}: ${name}`)
    }
  }
  const lines = await logged(REFUSED.length)
  t.strictSame(
    lines.map(({ observedCode }) => observedCode),
    REFUSED.map(([code]) => code),
  )
  for (const line of lines) {
    t.match(line, { status: 200, route: 'api', decisionMs: Number })
    for (const name of ['code', 'subject', 'thumbprint']) t.notOk(name in line, name)
  }
  const detail = '§4.3 (8) {"expected":"GET","received":"PUT"}'
  t.match(lines[6], { observedCode: 'proof_method', detail, clockDifferenceSeconds: Number })
  t.match(lines[9], { observedCode: 'claim_refused', detail: 'claim tenant' })

  const metrics = [...(await readMetrics(adminPort))]
  const named = (name: string) => metrics.filter(([series]) => series.startsWith(name))
  t.strictSame(
    new Map(named('dpop_observed_refusals_total')),
    new Map(
      REFUSED.map(([code]) => [`dpop_observed_refusals_total{route="api",code="${code}"}`, 1]),
    ),
  )
  t.strictSame(named('dpop_refusals_total'), [])
  t.strictSame(named('dpop_admitted_total'), [])
})

t.test('what is admitted has its identity, and the client’s own is dropped', async (t) => {
  const { send, client, upstream, authority, logged, adminPort } = await createObserved(t)
  t.equal((await send({ headers: SPOOFED })).status, 200)
  t.strictSame(
    IDENTITY.map((name) => upstream.requests[0]?.values(name)),
    [['alice'], ['app'], ['read write'], [authority.issuer], [client.thumbprint]],
  )
  const [line = {}] = await logged(1)
  t.match(line, { subject: 'alice', thumbprint: client.thumbprint })
  t.notOk('observedCode' in line)
  const metrics = await readMetrics(adminPort)
  t.equal(metrics.get('dpop_admitted_total{route="api",scheme="dpop"}'), 1)
})

t.test('a proof that was used before is counted as such', async (t) => {
  const { send, mint, client, upstream, logged } = await createObserved(t)
  const token = await mint()
  const proof = await client.proof({ url: `${PUBLIC_URL}/api/orders`, token })
  for (const nth of ['first', 'second', 'third']) {
    t.equal((await send({ token, proof })).status, 200, nth)
  }
  const codes = (await logged(3)).map(({ observedCode }) => observedCode)
  t.strictSame(codes, [undefined, 'proof_replayed', 'proof_replayed'])
  t.strictSame(
    upstream.requests.map(({ values }) => values('x-auth-subject')),
    [['alice'], [], []],
  )
})

t.test('an outage of what the decision needs blocks nothing', async (t) => {
  const full = await createObserved(t, { settings: 'replay: { maxEntries: 1 }' })
  for (const nth of ['first', 'second']) t.equal((await full.send()).status, 200, nth)
  t.match(await full.logged(2), [
    { subject: 'alice' },
    { observedCode: 'replay_store_unavailable', status: 200 },
  ])
  const iss = await closedUrl()
  const down = await createObserved(t, { issuer: `issuer: ${iss}`, awaitReady: false })
  t.equal((await down.send({ claims: { iss } })).status, 200)
  t.match(await down.logged(1), [{ observedCode: 'issuer_unavailable' }])
})

t.test('what is no request of the route is refused', async (t) => {
  const { send, upstream, adminPort } = await createObserved(t, {
    server: '  publicUrl: [https://api.example.com]',
    routes: routes(', methods: [GET]'),
  })
  const host: readonly Header[] = [['Host', 'api.example.com']]
  const refused = [
    ['path_invalid', { path: '/api/../x', credentials: host }, 400],
    ['host_invalid', { credentials: [...host, ...host] }, 400],
    ['route_unknown', { path: '/none', credentials: host }, 404],
    ['method_unknown', { method: 'PUT', credentials: host }, 405],
    ['origin_unknown', { credentials: [['Host', 'other.example']] }, 421],
  ] as const
  for (const [code, request, status] of refused) t.match(await send(request), { status, code })
  t.strictSame(upstream.requests, [])
  await until(async () => {
    const metrics = await readMetrics(adminPort)
    return metrics.has('dpop_refusals_total{route="none",code="origin_unknown"}')
  })
  upstream.behave('reset')
  const answer = await send({ credentials: host })
  t.match(answer, { status: 502, code: 'upstream_unreachable' }, 'and what fails later, fails')
})

t.test('what becomes of Authorization', async (t) => {
  const yaml = ({ url }: Upstreams) =>
    ['keep', 'bearer', 'drop']
      .map(
        (mode) => `- { name: ${mode}, path: /${mode}, upstream: ${url}, observe: true,
    identity: { token: ${mode} } }`,
      )
      .join('\n')
  const { send, mint, upstream } = await createObserved(t, { routes: yaml })
  const [unbound, expired] = [await mint({ cnf: undefined }), await mint({ exp: 1 })]
  const refused = [`Bearer ${unbound}`, `DPoP ${expired}`, 'bearer  x', 'Basic YTpi']
  const seen = async (path: string, request: StageRequest) => {
    t.equal((await send({ ...request, path })).status, 200)
    return upstream.requests.at(-1)?.values('authorization')
  }
  for (const value of refused) {
    t.strictSame(await seen('/keep', credentials(value)), [value], 'as received')
    t.strictSame(await seen('/bearer', credentials(value)), [value], 'nothing here was proven')
    t.strictSame(await seen('/drop', credentials(value)), [])
  }
  const twice: readonly Header[] = refused.slice(0, 2).map((it) => ['Authorization', it])
  t.strictSame(await seen('/keep', { credentials: twice }), refused.slice(0, 2))
  const token = await mint()
  t.strictSame(await seen('/keep', { token }), [`DPoP ${token}`])
  t.strictSame(await seen('/bearer', { token }), [`Bearer ${token}`], 'proven')
  t.strictSame(await seen('/drop', { token }), [])
})

t.test('with access: dpop-or-bearer and access: proof', async (t) => {
  const yaml = ({ url }: Upstreams) => `\
- { name: mixed, path: /mixed, upstream: ${url}, observe: true, access: dpop-or-bearer }
- { name: token, path: /token, upstream: ${url}, observe: true, access: proof }`
  const { send, mint, upstream, logged } = await createObserved(t, { routes: yaml })
  const bearer = async (claims: object) => credentials(`Bearer ${await mint({ ...claims })}`)
  await send({ path: '/mixed', ...(await bearer({ cnf: undefined })) })
  await send({ path: '/mixed', ...(await bearer({})) })
  await send({ path: '/token', credentials: [['DPoP', 'x']] })
  t.match(await logged(3), [
    { status: 200, subject: 'alice' },
    { status: 200, observedCode: 'token_bound' },
    { status: 200, observedCode: 'proof_malformed' },
  ])
  t.strictSame(upstream.requests.at(-1)?.values('dpop'), ['x'])
})

t.test('it is said loudly at start', async (t) => {
  const { log } = await createObserved(t)
  const WARN = 40
  t.match(
    log().filter(({ level }) => level === WARN),
    [
      { msg: 'route api only observes: NOTHING IS REFUSED' },
      { msg: 'route api observes, but its API sees no token (identity.token: drop)' },
    ],
  )
})

t.test('check says it as well', async (t) => {
  const text = `
routes:
  - { name: token, path: /token, upstream: http://127.0.0.1, access: proof, observe: true }
`
  const folder = t.testdir({ 'gateway.yaml': text })
  const { code, stdout } = await runCommand(check, [`${folder}/gateway.yaml`])
  t.equal(code, 0)
  t.match(stdout, '  note: route token only observes: NOTHING IS REFUSED\n')
})
