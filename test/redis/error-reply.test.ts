import t from 'tap'
import { redisMissing, startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { createClient, createReadyStore, refusalOf, type TestStore } from './store.ts'

/** Until claims pass, as just after the start they do not. */
const untilWon = (store: TestStore) => until(async () => (await refusalOf(store)) === undefined)

t.test('#181 BUSY: a script that does not end', { skip: redisMissing }, async (t) => {
  const { url } = await startRedis(t, ['--busy-reply-threshold', '50'])
  const store = await createReadyStore(t, { url })
  await untilWon(store)
  const admin = createClient(t, url)
  await admin.ping()
  const script = createClient(t, url)
    .eval('while true do end', 0)
    .catch(() => undefined)
  await until(async () => (await refusalOf(store)) === 'BUSY')
  await admin.script('KILL')
  await script
  await untilWon(store)
})

t.test('#181 MASTERDOWN: a replica without a master', { skip: redisMissing }, async (t) => {
  const { url } = await startRedis(t, ['--replica-serve-stale-data', 'no'])
  const admin = createClient(t, url)
  const store = await createReadyStore(t, { url })
  await untilWon(store)
  await admin.config('SET', 'replica-read-only', 'no')
  await admin.replicaof('127.0.0.1', 1)
  t.equal(await refusalOf(store), 'MASTERDOWN')
  await until(() => store.events.some((event) => event.includes('is a replica')))
  await admin.replicaof('NO', 'ONE')
  await untilWon(store)
})

t.test('LOADING: a server that reads its data', { skip: redisMissing }, async (t) => {
  const { url } = await startRedis(t, [
    ...['--enable-debug-command', 'yes', '--key-load-delay', '500'],
    ...['--loading-process-events-interval-bytes', '1024'],
  ])
  const admin = createClient(t, url)
  const store = await createReadyStore(t, { url })
  await untilWon(store)
  await admin.call('DEBUG', 'POPULATE', '4000')
  const reload = admin.call('DEBUG', 'RELOAD')
  await until(async () => /^(LOADING|not ready)$/.test((await refusalOf(store)) ?? ''))
  await reload
  await untilWon(store)
})

t.test('a policy changed at run time is noticed', { skip: redisMissing }, async (t) => {
  const { url } = await startRedis(t, ['--maxmemory', '100mb'])
  const store = await createReadyStore(t, { url })
  await createClient(t, url).config('SET', 'maxmemory-policy', 'allkeys-lru')
  await until(() => !store.status().ready, 20_000)
  t.match(store.status(), { reason: /maxmemory-policy is allkeys-lru/ })
  t.equal(store.problemWord(), 'eviction')
})
