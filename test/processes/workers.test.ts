/** `server.workers`: several processes that are one gateway to clients and to the operator. */
import { readFileSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { createClient } from '../support/client.ts'
import { readMetrics } from '../support/metrics.ts'
import { startGateway, type GatewayProcess } from '../support/process.ts'
import { redisMissing, startRedis } from '../support/redis.ts'
import { PUBLIC_URL } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { createCast } from './cast.ts'

const PATIENCE_MS = 30_000

async function stageOf(t: Test) {
  const redis = await startRedis(t)
  const cast = await createCast(t, {
    settings: `replay: { store: redis, url: '${redis.url}', timeout: 5s }`,
    drain: '{ delay: 500ms, timeout: 20s }',
  })
  const yaml = readFileSync(cast.config, 'utf8').replace('server: {', 'server: { workers: 2,')
  writeFileSync(cast.config, yaml)
  const gateway = await startGateway(t, cast.config)
  await gateway.untilReady()
  return { ...cast, yaml, gateway }
}

/** The processes that have logged, by the number of the worker; requests come to each in turn. */
function workersOf({ log }: GatewayProcess): readonly unknown[] {
  const requests = log().filter(({ msg }) => msg === 'request')
  return [...new Set(requests.map((line) => line['worker']))].sort()
}

async function metricsOf({ admin }: GatewayProcess) {
  return readMetrics(Number(new URL(admin).port))
}

t.test(
  'they share what was used, and are one to the operator',
  { skip: redisMissing },
  async (t) => {
    const { gateway, authority } = await stageOf(t)
    const client = await createClient()
    const token = await authority.mint({ cnf: { jkt: client.thumbprint } })
    const proof = await client.proof({ url: `${PUBLIC_URL}/api/a`, token })
    const headers = { authorization: `DPoP ${token}`, dpop: proof, connection: 'close' }
    const copies = Array.from({ length: 40 }, () => fetch(`${gateway.traffic}/api/a`, { headers }))
    const statuses = (await Promise.all(copies)).map(({ status }) => status)
    t.equal(statuses.filter((status) => status === 200).length, 1)
    t.equal(statuses.filter((status) => status === 401).length, 39)
    await until(() => workersOf(gateway).length === 2)
    t.strictSame(workersOf(gateway), [1, 2])

    const metrics = await metricsOf(gateway)
    t.equal(metrics.get('dpop_workers'), 2)
    t.equal(metrics.get('dpop_refusals_total{route="api",code="proof_replayed"}'), 39)
    t.equal(metrics.get('dpop_replay_store_ready'), 1)
    t.equal(metrics.get('config_last_reload_success'), 1)
    const { components } = await gateway.readiness()
    t.match(components, { workers: { ready: true }, replayStore: { ready: true } })
  },
)

t.test('one that dies is replaced, and the others go on', { skip: redisMissing }, async (t) => {
  const { gateway, request } = await stageOf(t)
  const pids = () =>
    gateway
      .log()
      .filter(({ msg }) => msg === 'worker serves')
      .map((it) => it['pid'])
  await until(() => pids().length === 2)
  process.kill(Number(pids()[0]), 'SIGKILL')
  await until(async () => (await metricsOf(gateway)).get('dpop_workers') === 1)
  t.equal((await gateway.readiness()).status, 200, 'it is ready by those that are left')
  for (let count = 0; count < 10; count++) t.equal((await request(gateway.traffic)).status, 200)
  await until(() => pids().length === 3, PATIENCE_MS)
  const metrics = await metricsOf(gateway)
  t.equal(metrics.get('dpop_workers'), 2)
  t.equal(metrics.get('dpop_worker_restarts_total'), 1)
  t.match(
    gateway.log().find(({ msg }) => String(msg).startsWith('a worker has ended')),
    {
      level: 50,
      signal: 'SIGKILL',
    },
  )
})

t.test('a reload reaches all of them, or none', { skip: redisMissing }, async (t) => {
  const { gateway, config, yaml } = await stageOf(t)
  const statuses = async () => {
    const asked = Array.from({ length: 8 }, () =>
      fetch(`${gateway.traffic}/public/a`, { headers: { connection: 'close' } }),
    )
    return [...new Set((await Promise.all(asked)).map(({ status }) => status))]
  }
  t.strictSame(await statuses(), [200])
  writeFileSync(config, yaml.replace('access: public', 'access: dpop'))
  gateway.signal('SIGHUP')
  await until(() => gateway.log().some(({ msg }) => msg === 'configuration reloaded'))
  t.strictSame(await statuses(), [401])

  // Nobody is there: an issuer that cannot be loaded would have its tokens refused.
  writeFileSync(
    config,
    yaml.replace(
      'issuers:\n',
      "issuers:\n  gone: { issuer: 'http://127.0.0.1:9', audience: none }\n",
    ),
  )
  gateway.signal('SIGHUP')
  const isKept = () => gateway.log().some(({ msg }) => String(msg).startsWith('configuration not'))
  await until(isKept, PATIENCE_MS)
  t.strictSame(await statuses(), [401])
  t.equal((await metricsOf(gateway)).get('config_last_reload_success'), 0)
})

t.test('one that starts during a reload gets what it brings', { skip: redisMissing }, async (t) => {
  const { gateway, config, yaml } = await stageOf(t)
  const serving = () => gateway.log().filter(({ msg }) => msg === 'worker serves')
  await until(() => serving().length === 2)
  process.kill(Number(serving()[0]?.['pid']), 'SIGKILL')
  const hasEnded = () => gateway.log().some(({ msg }) => String(msg).startsWith('a worker has'))
  await until(hasEnded)
  writeFileSync(config, yaml.replace('access: public', 'access: dpop'))
  gateway.signal('SIGHUP')
  await until(() => gateway.log().some(({ msg }) => msg === 'configuration reloaded'))
  await until(() => serving().length === 3, PATIENCE_MS)
  const asked = Array.from({ length: 8 }, () =>
    fetch(`${gateway.traffic}/public/a`, { headers: { connection: 'close' } }),
  )
  t.ok((await Promise.all(asked)).every(({ status }) => status === 401))
})

t.test('SIGTERM drains all of them', { skip: redisMissing }, async (t) => {
  const { gateway, request, upstream } = await stageOf(t)
  upstream.behave('slow')
  const underWay = await Promise.all([request(gateway.traffic), request(gateway.traffic)])
  gateway.signal('SIGTERM')
  await until(async () => (await gateway.readiness()).status === 503)
  for (const response of underWay) t.equal(await response.text(), 'x'.repeat(10))
  const { code, stderr } = await gateway.ended
  t.equal(code, 0)
  t.equal(stderr, '')
  t.equal(gateway.log().at(-1)?.['msg'], 'stopped')
})

t.test('without its primary no worker is left', { skip: redisMissing }, async (t) => {
  const { gateway, request } = await stageOf(t)
  gateway.signal('SIGKILL')
  await gateway.ended
  await until(
    () =>
      request(gateway.traffic).then(
        () => false,
        () => true,
      ),
    PATIENCE_MS,
  )
})
