/** What may become of one Redis: killed, emptied, frozen, out of reach, set up in another way. */
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { redisMissing, startRedis, type TestRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { neverTwice } from './never-twice.ts'
import { createClient, type TestStore } from './store.ts'
import { startProxy } from './tcp-proxy.ts'

// What is fit is looked at every few seconds.
const NOTICE_MS = 20_000

/** Of a server that is not there, and that says it has forgotten nothing for an hour. */
const strangeMarker = () => `${Math.floor(Date.now() / 1000) - 3600} ${'a'.repeat(40)}`

interface Scene {
  readonly t: Test
  readonly redis: TestRedis
  readonly admin: ReturnType<typeof createClient>
  readonly stores: readonly TestStore[]
}

/** From the moment it begins until it is over. */
type Fault = (scene: Scene) => Promise<unknown>

const untilAllSay = (stores: readonly TestStore[], reason: RegExp) =>
  until(() => stores.every(({ events }) => events.some((event) => reason.test(event))), NOTICE_MS)

const FAULTS: Readonly<Record<string, Fault>> = {
  'killed, and started empty': ({ redis }) => redis.start(),
  FLUSHALL: ({ admin }) => admin.flushall(),
  'the marker alone is gone': ({ admin }) => admin.del('dpop:epoch'),
  'the marker is no marker': ({ admin }) => admin.set('dpop:epoch', 'something else'),
  'the marker is of a clock far ahead': ({ admin }) => admin.set('dpop:epoch', '99999999999 x y 0'),
  'frozen, and emptied when it thaws': async ({ redis, admin }) => {
    redis.freeze()
    const emptied = admin.flushall()
    // Has to last, and less than a claim waits: those on their way are answered by the emptied one.
    await pause(500)
    redis.thaw()
    await emptied
  },
  'frozen until it is given up': async ({ redis, stores }) => {
    redis.freeze()
    await untilAllSay(stores, /does not answer$/)
    redis.thaw()
  },
  'READONLY: a replica for a while': async ({ admin, stores }) => {
    await admin.replicaof('127.0.0.1', 1)
    await untilAllSay(stores, /is a replica/)
    await admin.replicaof('NO', 'ONE')
  },
  'a replica of another, whose data it takes': async ({ t, admin, stores }) => {
    const other = await startRedis(t, ['--repl-diskless-sync-delay', '0'])
    const marker = strangeMarker()
    await createClient(t, other.url).set('dpop:epoch', marker)
    await admin.replicaof('127.0.0.1', other.port)
    await until(async () => (await admin.get('dpop:epoch')) === marker, NOTICE_MS)
    await untilAllSay(stores, /is a replica/)
    await admin.replicaof('NO', 'ONE')
  },
  'an eviction policy for a while': async ({ admin, stores }) => {
    await admin.config('SET', 'maxmemory', '1gb', 'maxmemory-policy', 'allkeys-lru')
    await untilAllSay(stores, /may evict proofs/)
    await admin.config('SET', 'maxmemory', '0', 'maxmemory-policy', 'noeviction')
  },
  'an eviction policy for a while, and proofs are evicted': async ({ admin, stores }) => {
    // The marker has no time to live: it stays.
    await admin.config('SET', 'maxmemory', '1gb', 'maxmemory-policy', 'volatile-lru')
    await untilAllSay(stores, /may evict proofs/)
    await admin.config('SET', 'maxmemory', '1')
    await until(async () => (await admin.dbsize()) <= 1, NOTICE_MS)
    await admin.config('SET', 'maxmemory', '0', 'maxmemory-policy', 'noeviction')
  },
}

for (const [name, fault] of Object.entries(FAULTS)) {
  t.test(name, { skip: redisMissing }, async (t) => {
    const redis = await startRedis(t)
    const admin = createClient(t, redis.url)
    await neverTwice(t, {
      servers: { url: redis.url },
      fault: (stores) => fault({ t, redis, admin, stores }),
      recoveryMs: 2 * NOTICE_MS,
    })
  })
}

t.test('nothing gets through for a while', { skip: redisMissing }, async (t) => {
  const { port } = await startRedis(t)
  const proxy = await startProxy(t, port)
  await neverTwice(t, {
    servers: { url: proxy.url },
    async fault(stores) {
      proxy.blackhole()
      await untilAllSay(stores, /does not answer$/)
      proxy.restore()
    },
  })
})

t.test('started with a snapshot of before', { skip: redisMissing }, async (t) => {
  const redis = await startRedis(t, ['--dir', t.testdir()])
  const admin = createClient(t, redis.url)
  await neverTwice(t, {
    servers: { url: redis.url },
    early: () => admin.save(),
    fault: () => redis.start(),
  })
})

t.test('it becomes another server, with another history', { skip: redisMissing }, async (t) => {
  const redis = await startRedis(t, ['--dir', t.testdir()])
  const admin = createClient(t, redis.url)
  await admin.set('dpop:epoch', strangeMarker())
  await admin.save()
  await admin.flushall()
  await neverTwice(t, { servers: { url: redis.url }, fault: () => redis.start() })
})
