import t from 'tap'
import { redisMissing, startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { createClient, createReadyStore, createStore, KEY, refusalOf } from './store.ts'
import { startProxy } from './tcp-proxy.ts'

// What a busy machine may add to a bound.
const SLACK_MS = 500
// After a loss Redis is trusted again once the second is over that is written down as its beginning.
const ANEW_MS = 2000

async function timed<T>(work: () => Promise<T>): Promise<[T, number]> {
  const start = performance.now()
  return [await work(), performance.now() - start]
}

t.test('#181 Redis is killed and comes back', { skip: redisMissing }, async (t) => {
  const redis = await startRedis(t)
  const store = await createReadyStore(t, { url: redis.url, timeoutMs: 150 })
  await redis.stop()
  const [refusal, ms] = await timed(() => refusalOf(store))
  t.match(refusal, /^(disconnected|not ready)$/)
  t.ok(ms < 150 + SLACK_MS, `${ms} ms`)
  await until(() => store.events.some((event) => event.endsWith('refuses connections')))
  t.match(store.status(), { ready: false, reason: `Redis at 127.0.0.1:${redis.port} refuses` })
  t.equal(await refusalOf(store), 'not ready')

  await redis.start()
  const [, back] = await timed(() => until(async () => (await refusalOf(store)) === undefined))
  t.ok(back < 1000 + ANEW_MS + SLACK_MS, `back after ${back} ms`)
  await until(() => store.status().ready)
  t.same(store.status(), { ready: true })
})

t.test('#181 Redis is down at the start', { skip: redisMissing }, async (t) => {
  const redis = await startRedis(t)
  await redis.stop()
  const store = createStore(t, { url: redis.url })
  t.equal(await refusalOf(store), 'not ready')
  t.match(store.status(), { ready: false, reason: /has not answered yet$/ })
  await until(() => store.events.length > 0)
  await redis.start()
  await until(() => store.status().ready)
  t.equal(await refusalOf(store), undefined)
  t.match(store.events, [/^warn: .* refuses connections$/, /^info: .* is ready \(version \d/])
})

t.test('#181 Redis is frozen for a moment', { skip: redisMissing }, async (t) => {
  const redis = await startRedis(t)
  const store = await createReadyStore(t, { url: redis.url, timeoutMs: 150 })
  redis.freeze()
  for (let i = 0; i < 3; i += 1) {
    const [refusal, ms] = await timed(() => refusalOf(store))
    t.equal(refusal, 'timeout')
    t.ok(ms > 140 && ms < 150 + SLACK_MS, `${ms} ms`)
  }
  // Requests no longer wait for it.
  const [refusal, ms] = await timed(() => refusalOf(store))
  t.equal(refusal, 'breaker open')
  t.ok(ms < 50, `${ms} ms`)
  t.match(store.status(), { ready: false, reason: /does not answer within 150 ms$/ })

  redis.thaw()
  const [, back] = await timed(() => until(async () => (await refusalOf(store)) === undefined))
  t.ok(back < 1000 + SLACK_MS, `back after ${back} ms`)
  await until(() => store.status().ready)
  t.match(store.events.at(-1), /answers in time again$|is ready/)
})

t.test('#181 Redis is frozen for long', { skip: redisMissing }, async (t) => {
  const redis = await startRedis(t)
  const store = await createReadyStore(t, { url: redis.url, timeoutMs: 150 })
  redis.freeze()
  await until(async () => (await refusalOf(store)) === 'not ready')
  t.match(store.status(), { ready: false, reason: /does not answer$/ })
  t.equal(await refusalOf(store), 'not ready')
  redis.thaw()
  const [, back] = await timed(() => until(async () => (await refusalOf(store)) === undefined))
  t.ok(back < 1000 + SLACK_MS, `back after ${back} ms`)
})

t.test('#181 a network that swallows packets', { skip: redisMissing }, async (t) => {
  const { port } = await startRedis(t)
  const proxy = await startProxy(t, port)
  const store = await createReadyStore(t, { url: proxy.url, timeoutMs: 150 })
  proxy.blackhole()
  t.equal(await refusalOf(store), 'timeout')
  proxy.restore()
  await until(async () => (await refusalOf(store)) === undefined)
  t.ok(proxy.connections >= 2, 'over a connection of its own')
})

t.test(
  '#181 many claims in flight when Redis dies are all refused',
  { skip: redisMissing },
  async (t) => {
    const redis = await startRedis(t)
    const store = await createReadyStore(t, { url: redis.url })
    redis.freeze()
    const claims = Promise.all(Array.from({ length: 500 }, () => refusalOf(store)))
    await redis.stop()
    const [refusals, ms] = await timed(() => claims)
    t.same(new Set(refusals), new Set(['disconnected']))
    t.ok(ms < 150 + SLACK_MS, `${ms} ms`)
  },
)

t.test('#182 a lost reply is not taken for a replay', { skip: redisMissing }, async (t) => {
  const { port } = await startRedis(t)
  const proxy = await startProxy(t, port)
  const store = await createReadyStore(t, { url: proxy.url })
  const other = await createReadyStore(t, { url: `redis://127.0.0.1:${port}` })

  proxy.cutNextReply()
  t.equal(await store.take(KEY, 'one', 60), true, 'applied, the reply lost')
  t.equal(proxy.connections, 2)
  t.equal(await store.take(KEY, 'one', 60), false)
  t.equal(await other.take(KEY, 'one', 60), false)

  proxy.cutNextRequest()
  t.equal(await store.take(KEY, 'two', 60), true, 'never applied')
  t.equal(await other.take(KEY, 'two', 60), false)

  t.equal(await other.take(KEY, 'three', 60), true)
  proxy.cutNextReply()
  t.equal(await store.take(KEY, 'three', 60), false, 'taken by another')
})

t.test('#182 before Redis 7 a lost reply is a refusal', { skip: redisMissing }, async (t) => {
  const { port } = await startRedis(t)
  const proxy = await startProxy(t, port, (reply) =>
    reply.replace(/redis_version:\d\d?/, 'redis_version:6'),
  )
  const store = await createReadyStore(t, { url: proxy.url })
  proxy.cutNextReply()
  await t.rejects(store.take(KEY, 'one', 60), {
    code: 'replay_store_unavailable',
    detail: 'disconnected',
  })
  await until(() => store.status().ready)
  t.equal(await store.take(KEY, 'one', 60), false)
})

t.test('#181 error replies', { skip: redisMissing }, async (t) => {
  const redis = await startRedis(t)
  const admin = createClient(t, redis.url)
  const store = await createReadyStore(t, { url: redis.url })

  await admin.config('SET', 'min-replicas-to-write', '1')
  t.equal(await refusalOf(store), 'NOREPLICAS')
  await admin.config('SET', 'min-replicas-to-write', '0')

  await admin.config('SET', 'maxmemory', '1')
  t.equal(await refusalOf(store), 'OOM')
  await admin.config('SET', 'maxmemory', '0')

  await admin.acl('SETUSER', 'default', '-set')
  t.equal(await refusalOf(store), 'NOPERM')
  await admin.acl('SETUSER', 'default', '+set')
  t.equal(await refusalOf(store), undefined)
})

t.test('#181 READONLY: the master becomes a replica', { skip: redisMissing }, async (t) => {
  const redis = await startRedis(t)
  const admin = createClient(t, redis.url)
  const store = await createReadyStore(t, { url: redis.url })
  await admin.replicaof('127.0.0.1', 1)
  t.equal(await refusalOf(store), 'READONLY')
  await until(() => store.events.some((event) => event.includes('is a replica')))
  t.equal(await refusalOf(store), 'not ready')
  t.match(store.status(), { ready: false, reason: /must lead to the master$/ })
  await admin.replicaof('NO', 'ONE')
  await until(() => store.status().ready)
  t.equal(await refusalOf(store), undefined)
})
