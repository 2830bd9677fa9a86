/** The same server, whose run_id tells nothing: it has lost proofs nevertheless, and says so. */
import t, { type Test } from 'tap'
import { redisMissing, startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { createClient, createReadyStore, KEY, type TestStore } from './store.ts'

const NOTICE_MS = 20_000
let count = 0
const sinceOf = async (store: TestStore) =>
  (await store.claim({ thumbprint: KEY, jti: String((count += 1)), ttlSeconds: 300 }))
    .rememberedSince
const isForgotten = ({ events }: TestStore) =>
  events.some((event) => event.includes('has forgotten proofs'))

async function createScene(t: Test) {
  const [a, b] = [await startRedis(t), await startRedis(t)]
  const [one, two] = [createClient(t, a.url), createClient(t, b.url)]
  const store = await createReadyStore(t, { url: a.url })
  const before = await sinceOf(store)
  const copy = async (to: typeof one, port: number) => {
    await to.replicaof('127.0.0.1', port)
    await until(async () => (await to.info('replication')).includes('link_status:up'), NOTICE_MS)
  }
  return { a, b, one, two, store, before, copy }
}

t.test('the data of another server, while nobody asks', { skip: redisMissing }, async (t) => {
  const { a, b, one, two, store, before, copy } = await createScene(t)
  await copy(two, a.port)
  await two.replicaof('NO', 'ONE')
  await copy(one, b.port)
  await one.replicaof('NO', 'ONE')
  // Whether the link has seen the replica or not.
  let since = 0
  await until(async () => (since = await sinceOf(store).catch(() => 0)) > 0, NOTICE_MS)
  t.ok(since > before, 'known with the first answer')
})

t.test('a replica that connects changes nothing', { skip: redisMissing }, async (t) => {
  const { a, one, two, store, before, copy } = await createScene(t)
  const idOf = async () => /master_replid:(\w+)/.exec(await one.info('replication'))?.[1]
  const id = await idOf()
  await copy(two, a.port)
  t.not(await idOf(), id)
  t.equal(await sinceOf(store), before)
  const other = await createReadyStore(t, { url: a.url })
  t.equal(await sinceOf(other), before)
  t.equal(isForgotten(store), false)
})

for (const [name, isSeen, unsafeEviction, isBegun] of [
  ['evicted, and mended before it was seen', false, false, true],
  ['evicted, seen, and mended with its statistics', true, false, true],
  ['evicted, as unsafeEviction allows', false, true, false],
] as const) {
  t.test(name, { skip: redisMissing }, async (t) => {
    const { url } = await startRedis(t)
    const admin = createClient(t, url)
    const store = await createReadyStore(t, { url, unsafeEviction })
    const before = await sinceOf(store)
    await admin.config('SET', 'maxmemory-policy', 'volatile-ttl')
    await admin.config('SET', 'maxmemory', '1mb')
    for (const key of ['x', 'y']) {
      await admin.set(key, 'x'.repeat(400_000)).catch(() => undefined)
    }
    t.match(await admin.info('stats'), /evicted_keys:[1-9]/)
    if (isSeen) await until(() => store.problemWord() === 'eviction', NOTICE_MS)
    await admin.del('x', 'y')
    await admin.config('SET', 'maxmemory', '0')
    await admin.config('SET', 'maxmemory-policy', 'noeviction')
    if (isSeen) await admin.config('RESETSTAT')
    await until(() => store.status().ready, NOTICE_MS)
    if (isBegun) await until(() => isForgotten(store), NOTICE_MS)
    t.equal((await sinceOf(store)) > before, isBegun)
  })
}
