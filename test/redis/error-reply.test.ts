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

const FAULTS = {
  OOM: ['maxmemory', '1', '0', /has no memory left/],
  NOREPLICAS: ['min-replicas-to-write', '1', '0', /has fewer replicas/],
} as const

for (const [word, [option, bad, good, reason]] of Object.entries(FAULTS)) {
  t.test(`#181 ${word} without traffic, and with it`, { skip: redisMissing }, async (t) => {
    const { url } = await startRedis(t)
    const admin = createClient(t, url)
    const store = await createReadyStore(t, { url })
    await admin.config('SET', option, bad)
    await until(() => !store.status().ready, 20_000)
    t.match(store.status(), { ready: false, reason })
    for (let i = 0; i < 5; i += 1) t.equal(await refusalOf(store), word, 'claims go on')
    t.equal(store.events.filter((event) => reason.test(event)).length, 1, 'one line')
    await admin.config('SET', option, good)
    t.equal(await refusalOf(store), undefined)
    await until(() => store.status().ready)
    t.match(store.events.at(-1), /^info: .* takes proofs again$/)
  })
}

t.test('#181 NOPERM: seen by a claim, over without one', { skip: redisMissing }, async (t) => {
  const { url } = await startRedis(t)
  const admin = createClient(t, url)
  const store = await createReadyStore(t, { url })
  await admin.acl('SETUSER', 'default', '-set')
  t.equal(await refusalOf(store), 'NOPERM')
  t.match(store.status(), { ready: false, reason: /grant \+set/ })
  await admin.acl('SETUSER', 'default', '+set')
  await until(() => store.status().ready)
})
