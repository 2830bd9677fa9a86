/** What clients see while Redis is gone: 503 in good time, and soon nothing of it any more. */
import t, { type Test } from 'tap'
import { startGateway, type GatewayProcess } from '../support/process.ts'
import { redisMissing, startRedis, type TestRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { codeOf, createCast, type Cast } from './cast.ts'

const TIMEOUT_MS = 150
// What a busy machine may add to a bound.
const SLACK_MS = 1000
const BACK_MS = 3000

interface Outage {
  readonly begin: (redis: TestRedis) => void | Promise<void>
  readonly end: (redis: TestRedis) => void | Promise<void>
}

const OUTAGES: Readonly<Record<string, Outage>> = {
  killed: { begin: (redis) => redis.stop(), end: (redis) => redis.start() },
  frozen: {
    begin: (redis) => {
      redis.freeze()
    },
    end: (redis) => {
      redis.thaw()
    },
  },
}

for (const [name, outage] of Object.entries(OUTAGES)) {
  t.test(`Redis is ${name}`, { skip: redisMissing }, async (t) => {
    const redis = await startRedis(t)
    const cast = await createCast(t, { settings: settings(redis) })
    const gateway = await startGateway(t, cast.config)
    await gateway.untilReady()
    await until(async () => (await cast.request(gateway.traffic)).status === 200)

    await outage.begin(redis)
    await t.test('requests one by one', (t) => oneByOne(t, cast, gateway))
    await t.test('many requests at once', (t) => atOnce(t, cast, gateway))
    await t.test('/readyz names the component', (t) => readinessNames(t, gateway, redis))
    await t.test('once the connection is given up', async (t) => {
      await until(async () => {
        await refused(t, cast, gateway.traffic)
        const { components } = await gateway.readiness()
        return /refuses connections|does not answer$/.test(components['replayStore']?.reason ?? '')
      })
      await oneByOne(t, cast, gateway)
    })
    const before = cast.upstream.requests.filter(({ url }) => url.startsWith('/api')).length
    t.equal(before, 1, 'nothing protected reached the API meanwhile')

    await outage.end(redis)
    const start = performance.now()
    await until(async () => (await cast.request(gateway.traffic)).status === 200, BACK_MS)
    const ms = performance.now() - start
    t.ok(ms < BACK_MS, `requests pass again after ${Math.round(ms)} ms`)
    await gateway.untilReady()
  })
}

function settings({ url }: TestRedis): string {
  return `replay: { store: redis, url: '${url}', timeout: ${TIMEOUT_MS}ms }`
}

/** Protected and public requests in turn. */
async function oneByOne(t: Test, cast: Cast, { traffic }: GatewayProcess): Promise<void> {
  for (let i = 0; i < 5; i += 1) {
    await refused(t, cast, traffic)
    const start = performance.now()
    const open = await cast.request(traffic, '/public/a')
    t.equal(open.status, 200)
    await open.text()
    const ms = performance.now() - start
    t.ok(ms < SLACK_MS, `public after ${Math.round(ms)} ms`)
  }
}

async function atOnce(t: Test, cast: Cast, { traffic }: GatewayProcess): Promise<void> {
  await Promise.all(Array.from({ length: 20 }, () => refused(t, cast, traffic)))
}

async function refused(t: Test, cast: Cast, traffic: string): Promise<void> {
  const start = performance.now()
  const response = await cast.request(traffic)
  const ms = performance.now() - start
  t.equal(response.status, 503)
  t.equal(await codeOf(response), 'replay_store_unavailable')
  t.match(response.headers.get('retry-after'), /^[1-5]$/)
  t.equal(response.headers.get('www-authenticate'), null)
  t.ok(ms < TIMEOUT_MS + SLACK_MS, `refused after ${Math.round(ms)} ms`)
}

async function readinessNames(t: Test, gateway: GatewayProcess, redis: TestRedis): Promise<void> {
  const expected = {
    status: 503,
    components: {
      replayStore: { ready: false, reason: `Redis at 127.0.0.1:${redis.port} ` },
      gateway: { ready: true },
      'issuer main': { ready: true },
    },
  }
  // While Redis is frozen it is ready for a moment now and then, so that a request can try it.
  let seen = await gateway.readiness()
  await until(async () => {
    if (seen.status !== 503) seen = await gateway.readiness()
    return seen.status === 503
  })
  t.match(seen, expected)
}
