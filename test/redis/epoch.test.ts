/** The marker in Redis by which its loss of memory is found out. */
import t from 'tap'
import { readEpoch, writeEpoch } from '../../src/redis/epoch.ts'
import { createKeys } from '../../src/redis/keys.ts'
import { redisMissing, startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { createClient, createReadyStore, createStore, KEY, type TestStore } from './store.ts'
import { startProxy } from './tcp-proxy.ts'

const now = () => Math.floor(Date.now() / 1000)
let count = 0
const sinceOf = async (store: TestStore) =>
  (await store.claim({ thumbprint: KEY, jti: String((count += 1)), ttlSeconds: 60 }))
    .rememberedSince

t.test('what is written can be read', async (t) => {
  for (const epoch of [
    { since: 1_700_000_000, holder: { runId: 'a'.repeat(40), replicationId: 'b1', evicted: 7 } },
    { since: 0, holder: { runId: '', replicationId: '', evicted: 0 } },
  ]) {
    t.strictSame(readEpoch(writeEpoch(epoch)), epoch)
  }
})

t.test('what nobody here has written is no epoch', async (t) => {
  for (const text of [
    '',
    '1',
    '1 a b',
    'x a b 0',
    '-1 a b 0',
    '1.5 a b 0',
    '1 a b 0 c',
    '1 a b x',
    ' 1 a b 0',
    '1e9 a b 0',
    `${'9'.repeat(13)} a b 0`,
  ]) {
    t.equal(readEpoch(text), undefined, text)
  }
})

t.test('in a cluster each key has its marker beside it', async (t) => {
  const { markers, ...keys } = createKeys('dpop:', true)
  t.strictSame(keys.of('Abc'), { key: 'dpop:{A}:Abc', marker: 'dpop:{A}:epoch' })
  t.equal(new Set(markers).size, 64)
  for (const letter of '-_09azAZ') t.ok(markers.includes(keys.of(`${letter}x`).marker))
  const single = createKeys('dpop:', false)
  t.strictSame(single.of('Abc'), { key: 'dpop:Abc', marker: 'dpop:epoch' })
  t.strictSame(single.markers, ['dpop:epoch'])
})

t.test('the first instance begins, the others go by it', { skip: redisMissing }, async (t) => {
  const { url } = await startRedis(t)
  const start = now()
  const one = createStore(t, { url })
  await until(() => one.events.length > 0)
  await until(() => /begins anew|not said yet/.test(JSON.stringify(one.status())))
  await until(() => one.status().ready)
  t.ok(now() > start, 'not before the second is over that it began with')
  const since = await sinceOf(one)
  t.ok(since > start && since <= now(), `${since}`)

  const begin = performance.now()
  const two = await createReadyStore(t, { url })
  t.equal(await sinceOf(two), since)
  const ttl = await createClient(t, url).ttl('dpop:epoch')
  t.equal(ttl, -1, 'without a time to live')
  t.ok(performance.now() - begin < 5000)
})

t.test('what is forgotten is seen by the very next claim', { skip: redisMissing }, async (t) => {
  const { url } = await startRedis(t)
  const admin = createClient(t, url)
  const [one, two] = [await createReadyStore(t, { url }), await createReadyStore(t, { url })]
  const before = await sinceOf(one)
  for (const forget of [() => admin.flushall(), () => admin.del('dpop:epoch')]) {
    await forget()
    const start = now()
    const since = await sinceOf(two)
    t.ok(since > before && since >= start, 'anew')
    t.equal(await sinceOf(one), since, 'the same for all')
    t.match(one.status(), { ready: false, reason: /has forgotten proofs, and begins anew$/ })
    t.match(one.events.at(-1), /^warn: .* has forgotten proofs: those made until 20\d\d-.*Z are/)
    await until(() => one.status().ready && two.status().ready)
  }
})

t.test('before Redis 7 too', { skip: redisMissing }, async (t) => {
  const { url, port } = await startRedis(t)
  const proxy = await startProxy(t, port, (reply) =>
    reply.replace(/redis_version:\d\d?/, 'redis_version:6'),
  )
  const [old, other] = [
    await createReadyStore(t, { url: proxy.url }),
    await createReadyStore(t, { url }),
  ]
  const before = await sinceOf(old)
  t.equal(await sinceOf(other), before)
  await createClient(t, url).flushall()
  const since = await sinceOf(old)
  t.ok(since > before)
  t.equal(await sinceOf(other), since)
})

t.test('the clock is set back', { skip: redisMissing }, async (t) => {
  const { url } = await startRedis(t)
  let ahead = 3600
  const store = await createReadyStore(t, { url, clock: () => Date.now() / 1000 + ahead })
  t.ok((await sinceOf(store)) > now() + 3000)
  ahead = 0
  t.ok(store.status().ready, 'what a wrong clock wrote keeps nobody waiting')
  t.ok((await sinceOf(store)) <= now() + 1)
  await until(() => store.status().ready)
})

t.test('the key prefix keeps two gateways apart', { skip: redisMissing }, async (t) => {
  const { url } = await startRedis(t)
  await createReadyStore(t, { url, keyPrefix: 'a:' })
  await createReadyStore(t, { url, keyPrefix: 'b:' })
  t.strictSame((await createClient(t, url).keys('*')).sort(), ['a:epoch', 'b:epoch'])
})
