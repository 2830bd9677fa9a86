import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { loadConfig, parseConfig } from '../../src/config/load.ts'
import { ConfigError } from '../../src/config/problem.ts'

const SHIPPED = join(import.meta.dirname, '../../gateway.yaml')

const parse = (text: string, env: NodeJS.ProcessEnv = {}) =>
  parseConfig(text, { file: 'gateway.yaml', env, baseDir: import.meta.dirname })

const ISSUERS = 'issuers: { main: { issuer: https://as.example.com, audience: one } }\n'
const ROUTES = `routes: [{ name: orders, path: /orders/*, upstream: 'http://127.0.0.1:3000/' }]\n`

t.test('the shipped file starts with nothing set', async (t) => {
  const config = loadConfig(SHIPPED, {})
  t.strictSame(config.server.listen, { host: '127.0.0.1', port: 8080 })
  t.equal(config.server.publicUrl, 'http://localhost:8080')
  t.equal(config.replay.store, 'memory')
  t.equal(config.issuers['main']?.allowHttp, false)
  t.strictSame(
    config.routes.map(({ name, access, scopes, methods }) => ({ name, access, scopes, methods })),
    [
      { name: 'orders', access: 'dpop', scopes: ['orders:read'], methods: ['GET'] },
      { name: 'orders-write', access: 'dpop', scopes: ['orders:write'], methods: ['POST'] },
      { name: 'status', access: 'public', scopes: [], methods: undefined },
    ],
  )
})

t.test('the variables of the shipped file reach the configuration', async (t) => {
  const env = {
    GATEWAY_LISTEN: 'unix:/run/gateway.sock',
    ISSUER: 'http://issuer:9000',
    ALLOW_HTTP: 'true',
    REPLAY_STORE: 'redis',
    REDIS_URL: 'redis://redis:6379/1',
  }
  const config = loadConfig(SHIPPED, env)
  t.strictSame(config.server.listen, { path: '/run/gateway.sock' })
  t.match(config.issuers['main'], { issuer: 'http://issuer:9000', allowHttp: true })
  t.match(config.replay, { store: 'redis', url: 'redis://redis:6379/1' })
})

t.test('defaults, in milliseconds and bytes', async (t) => {
  const { server, admin, log, replay, dpop, identity } = parse(ISSUERS + ROUTES)
  t.strictSame(server, {
    listen: { host: '0.0.0.0', port: 8080 },
    trustedProxies: [],
    limits: {
      headerBytes: 16_384,
      headerCount: 100,
      tokenBytes: 8192,
      proofBytes: 8192,
      bodyBytes: Infinity,
      connections: 10_000,
      pipelined: 100,
      eventLoopDelay: 1000,
    },
    timeouts: { headers: 10_000, request: 300_000, keepAlive: 75_000 },
    drain: { delay: 5000, timeout: 25_000 },
    http2: false,
    workers: 1,
    watch: false,
  })
  t.strictSame(admin, { listen: { host: '127.0.0.1', port: 9901 } })
  t.strictSame(log, { level: 'info', accessLog: true })
  t.strictSame(replay, {
    store: 'memory',
    keyPrefix: 'dpop:',
    onOutage: 'refuse',
    timeout: 150,
    maxEntries: 1_000_000,
    maxEntriesPerKey: 250_000,
    unsafeEviction: false,
  })
  t.match(dpop, { maxAge: 60_000, clockSkew: 30_000 })
  t.equal(dpop.algorithms.join(' '), 'ES256 ES384 ES512 PS256 PS384 PS512 EdDSA Ed25519 RS256')
  t.equal(identity.headers['X-Auth-Thumbprint'], 'cnf.jkt')
  t.equal(identity.token, 'drop')
})

t.test('one item is a list of one, and none is none', async (t) => {
  const text = `
issuers:
  one: { issuer: https://one.example.com, audience: api }
  any: { issuer: https://any.example.com, audience: none }
routes:
  - name: orders
    path: /orders
    upstream: HTTP://127.0.0.1:80/base/
    claims: { tenant: acme, level: [1, 2], staff: true }
`
  const { issuers, routes } = parse(text)
  t.strictSame(issuers['one']?.audience, ['api'])
  t.equal(issuers['any']?.audience, 'none')
  t.strictSame(routes[0]?.upstream, ['http://127.0.0.1/base'])
  t.strictSame(routes[0]?.claims, { tenant: ['acme'], level: [1, 2], staff: [true] })
})

t.test('a route has its own rules over the global ones', async (t) => {
  const text = `
${ISSUERS}
dpop: { maxAge: 2m, clockSkew: 5s }
identity: { token: keep }
routes:
  - name: strict
    path: /strict
    upstream: http://127.0.0.1:3000
    dpop: { maxAge: 10s, algorithms: [ES256] }
    identity: { headers: { X-User: sub } }
  - { name: plain, path: /plain, upstream: http://127.0.0.1:3000 }
`
  const { dpop, identity, routes } = parse(text)
  t.strictSame(routes[0]?.dpop, {
    ...{ algorithms: ['ES256'], maxAge: 10_000, clockSkew: 5000 },
    nonce: 'off',
  })
  t.strictSame(routes[0]?.identity, { headers: { 'X-User': 'sub' }, token: 'keep' })
  t.strictSame(routes[1]?.dpop, dpop)
  t.strictSame(routes[1]?.identity, identity)
})

t.test('the issuer is kept to the letter, URLs that are called are normalised', async (t) => {
  const issuers = ISSUERS.replace('https://as.example.com', 'https://AS.example.com:443/')
  const publicUrl = 'server: { publicUrl: [https://API.example.com:443/, https://b.example] }\n'
  const config = parse(publicUrl + issuers + ROUTES)
  t.equal(config.issuers['main']?.issuer, 'https://AS.example.com:443/')
  t.strictSame(config.server.publicUrl, ['https://api.example.com', 'https://b.example'])
})

t.test('what a variable holds cannot change the structure', async (t) => {
  const text = `replay: { keyPrefix: '\${PREFIX}' }\n${ISSUERS}${ROUTES}`
  t.equal(parse(text, { PREFIX: ',url:*x#' }).replay.keyPrefix, ',url:*x#')
})

t.test('a variable is read by the type of its key, not by its looks', async (t) => {
  const text = (max: string) => `
replay: { maxEntries: "\${MAX}", unsafeEviction: "\${UNSAFE:-true}", keyPrefix: "\${MAX}" }
issuers: { main: { issuer: https://as.example.com, audience: "\${MAX}" } }
routes: [{ name: orders, path: /o, upstream: 'http://x', claims: { tenant: "${max}" } }]
`
  const { replay, issuers, routes } = parse(text('${MAX}'), { MAX: '1000' })
  t.match(replay, { maxEntries: 1000, unsafeEviction: true, keyPrefix: '1000' })
  t.strictSame(issuers['main']?.audience, ['1000'])
  t.strictSame(routes[0]?.claims, { tenant: ['1000'] })
})

t.test('${file:...} is relative to the file and loses one trailing newline', async (t) => {
  const folder = t.testdir({ secrets: { prefix: 'from-file\n' } })
  mkdirSync(join(folder, 'config'))
  const file = join(folder, 'config/gateway.yaml')
  writeFileSync(file, `replay: { keyPrefix: '\${file:../secrets/prefix}:' }\n${ISSUERS}${ROUTES}`)
  t.equal(loadConfig(file, {}).replay.keyPrefix, 'from-file:')
})

t.test('$${ is ${', async (t) => {
  const text = `replay: { keyPrefix: 'a$\${PREFIX}' }\n${ISSUERS}${ROUTES}`
  t.equal(parse(text).replay.keyPrefix, 'a${PREFIX}')
})

t.test('a file that is not there', async (t) => {
  const file = join(t.testdir({}), 'gateway.yaml')
  const expected = new ConfigError([
    { file, line: 1, column: 1, path: '', message: 'cannot read the file: there is no such file' },
  ])
  t.throws(() => loadConfig(file, {}), expected)
})

t.test('values from the environment do not stand in messages', async (t) => {
  const text = `replay: { url: '\${URL}', maxEntries: '\${URL}' }\n${ISSUERS}${ROUTES}`
  try {
    parse(text, { URL: 'hunter2' })
    t.fail('must be refused')
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    t.equal(error.problems.length, 2)
    t.notMatch(error.message, 'hunter2')
  }
})
