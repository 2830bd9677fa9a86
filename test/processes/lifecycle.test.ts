import t from 'tap'
import { createClient } from '../../demo/client.ts'
import { startIssuer } from '../../demo/issuer.ts'
import { choosePort } from '../../demo/listen.ts'
import { startGateway } from '../support/process.ts'
import { redisMissing, startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { codeOf, createCast } from './cast.ts'
import { closeAfter } from './topology.ts'

// What a busy machine may add to a bound.
const SLACK_MS = 2000

t.test('SIGTERM: not ready at once, finishes what is under way, exits 0', async (t) => {
  const cast = await createCast(t, { drain: '{ delay: 500ms, timeout: 20s }' })
  const gateway = await startGateway(t, cast.config)
  await gateway.untilReady()
  cast.upstream.behave('slow')
  const underWay = await cast.request(gateway.traffic)
  gateway.signal('SIGTERM')
  await until(async () => (await gateway.readiness()).status === 503)
  t.match(await gateway.readiness(), { components: { gateway: { reason: 'draining' } } })

  cast.upstream.behave('echo')
  const late = await cast.request(gateway.traffic)
  t.equal(late.status, 200, 'a load balancer that has not noticed yet is served')
  t.equal(late.headers.get('connection'), 'close')
  await late.text()
  t.equal(await underWay.text(), 'x'.repeat(10))

  const { code, stderr } = await gateway.ended
  t.equal(code, 0)
  t.equal(stderr, '')
  t.equal(gateway.log().at(-1)?.['msg'], 'stopped', 'the log is written to its end')
})

t.test('a second SIGTERM exits at once', async (t) => {
  const cast = await createCast(t, { drain: '{ delay: 1m, timeout: 1m }' })
  const gateway = await startGateway(t, cast.config)
  gateway.signal('SIGTERM')
  await until(async () => (await gateway.readiness()).components['gateway']?.ready === false)
  const start = performance.now()
  gateway.signal('SIGTERM')
  t.equal((await gateway.ended).code, 0)
  const ms = performance.now() - start
  t.ok(ms < SLACK_MS, `${ms} ms`)
})

t.test('the issuer is down at the start', async (t) => {
  const port = await choosePort(0)
  const [issuer, audience] = [`http://localhost:${port}`, 'https://api.example.com']
  const cast = await createCast(t, {
    settings: `  late: { issuer: '${issuer}', audience: '${audience}' }`,
  })
  const gateway = await startGateway(t, cast.config)
  await until(async () => (await gateway.readiness()).components['issuer main']?.ready === true)
  const { status, components } = await gateway.readiness()
  t.equal(status, 503)
  t.match(components, { 'issuer late': { ready: false, reason: /./ }, gateway: { ready: true } })
  t.equal((await cast.request(gateway.traffic, '/public/a')).status, 200)

  closeAfter(t, await startIssuer({ issuer, audience, port }))
  await gateway.untilReady()
  const client = await createClient(issuer, audience)
  const token = await client.requestToken('orders:read')
  const url = 'https://api.example.com/api/orders'
  const proof = await client.signProof({ method: 'GET', url, token })
  const headers = { authorization: `DPoP ${token}`, dpop: proof }
  t.equal((await fetch(`${gateway.traffic}/api/orders`, { headers })).status, 200)
})

t.test('no issuer has been loaded: protected routes answer 503', async (t) => {
  const cast = await createCast(t)
  cast.authority.behave('error')
  const gateway = await startGateway(t, cast.config)
  await until(() => cast.authority.requests.metadata > 0)
  t.match(await gateway.readiness(), {
    status: 503,
    components: { 'issuer main': { ready: false } },
  })
  const refused = await cast.request(gateway.traffic)
  t.equal(refused.status, 503)
  t.match(refused.headers.get('retry-after'), /^[1-5]$/)
  t.equal(refused.headers.get('www-authenticate'), null)
  t.equal(await codeOf(refused), 'issuer_unavailable')
  t.equal((await cast.request(gateway.traffic, '/public/a')).status, 200)

  cast.authority.behave('ok')
  await gateway.untilReady()
  t.equal((await cast.request(gateway.traffic)).status, 200)
})

t.test('Redis is down at the start', { skip: redisMissing }, async (t) => {
  const redis = await startRedis(t)
  await redis.stop()
  const cast = await createCast(t, {
    settings: `replay: { store: redis, url: '${redis.url}', timeout: 5s }`,
  })
  const gateway = await startGateway(t, cast.config)
  await until(async () => (await gateway.readiness()).components['issuer main']?.ready === true)
  const { status, components } = await gateway.readiness()
  t.equal(status, 503)
  t.match(components, { replayStore: { ready: false, reason: `127.0.0.1:${redis.port}` } })
  const refused = await cast.request(gateway.traffic)
  t.equal(refused.status, 503)
  t.equal(await codeOf(refused), 'replay_store_unavailable')

  await redis.start()
  await gateway.untilReady()
  t.equal((await cast.request(gateway.traffic)).status, 200)
})
