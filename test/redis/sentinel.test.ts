import { Redis } from 'ioredis'
import t from 'tap'
import { redisMissing } from '../support/redis.ts'
import { startSentinels } from '../support/sentinel.ts'
import { until } from '../support/until.ts'
import { neverTwice } from './never-twice.ts'
import { createClient, createReadyStore, createStore, KEY, refusalOf } from './store.ts'

// A failover takes some seconds, and more where the machine is busy.
const FAILOVER_MS = 60_000

/** Once the Sentinels know of the replica, without which there is no failover. */
async function untilReplicaIsKnown(hosts: readonly string[]): Promise<void> {
  for (const host of hosts) {
    const client = new Redis(`redis://${host}`)
    await until(async () => {
      const master = (await client.call('SENTINEL', 'MASTER', 'mymaster')) as string[]
      const valueOf = (name: string) => master[master.indexOf(name) + 1]
      return valueOf('num-slaves') === '1' && valueOf('num-other-sentinels') === '2'
    }, FAILOVER_MS)
    client.disconnect()
  }
}

t.test('#181 the master is killed, the replica takes over', { skip: redisMissing }, async (t) => {
  const { master, replica, hosts } = await startSentinels(t)
  const store = await createReadyStore(t, { sentinel: { hosts, name: 'mymaster' } })
  await until(async () => (await refusalOf(store)) === undefined)
  t.match(store.events, [`info: Redis mymaster of Sentinel at ${hosts.join(', ')} is ready`])
  await untilReplicaIsKnown(hosts)

  await master.stop()
  const refusals = new Set<string | undefined>()
  await until(async () => {
    const refusal = await refusalOf(store)
    refusals.add(refusal)
    return refusal === undefined
  }, FAILOVER_MS)
  t.ok(refusals.size > 1, 'refused meanwhile, and never for a fault of the client')
  const promoted = createClient(t, replica.url)
  t.ok(
    (await promoted.keys('dpop:*')).some((it) => it !== 'dpop:epoch'),
    'recorded by the replica that was',
  )
  t.equal(await store.take(KEY, 'after', 60), true)
  t.equal(await store.take(KEY, 'after', 60), false)
})

t.test('#181 the master is replaced while it lives', { skip: redisMissing }, async (t) => {
  const { master, replica, hosts } = await startSentinels(t)
  const store = await createReadyStore(t, { sentinel: { hosts, name: 'mymaster' } })
  await untilReplicaIsKnown(hosts)
  const sentinel = createClient(t, `redis://${hosts[0] ?? ''}`)
  await sentinel.call('SENTINEL', 'FAILOVER', 'mymaster')
  const old = createClient(t, master.url)
  await until(async () => (await old.info()).includes('role:slave'), FAILOVER_MS)
  await until(async () => (await refusalOf(store)) === undefined, FAILOVER_MS)
  await store.take(KEY, 'after', 60)
  const keys = await createClient(t, replica.url).keys('dpop:*')
  t.ok(keys.length > 1, 'at the new master')
})

t.test('no proof passes twice: master killed', { skip: redisMissing }, async (t) => {
  const { master, replica, hosts } = await startSentinels(t)
  await untilReplicaIsKnown(hosts)
  const promoted = createClient(t, replica.url)
  await neverTwice(t, {
    servers: { sentinel: { hosts, name: 'mymaster' } },
    // It has the marker, and none of the proofs that come now.
    async early() {
      await until(async () => (await promoted.exists('dpop:epoch')) === 1)
      await promoted.replicaof('127.0.0.1', 1)
    },
    async fault() {
      await master.stop()
      await until(async () => (await promoted.info()).includes('role:master'), FAILOVER_MS)
    },
    recoveryMs: 2 * FAILOVER_MS,
  })
})

t.test('no proof passes twice: SENTINEL FAILOVER', { skip: redisMissing }, async (t) => {
  const { master, hosts } = await startSentinels(t)
  await untilReplicaIsKnown(hosts)
  const old = createClient(t, master.url)
  const sentinel = createClient(t, `redis://${hosts[0] ?? ''}`)
  await neverTwice(t, {
    servers: { sentinel: { hosts, name: 'mymaster' } },
    async fault() {
      await sentinel.call('SENTINEL', 'FAILOVER', 'mymaster')
      await until(async () => (await old.info()).includes('role:slave'), FAILOVER_MS)
    },
    recoveryMs: 2 * FAILOVER_MS,
  })
})

t.test('Sentinels that do not help say why', { skip: redisMissing }, async (t) => {
  const { hosts } = await startSentinels(t, {
    sentinelLines: [
      'user default off',
      'user gateway on >s3ntinel +sentinel|get-master-addr-by-name',
      'user other on >s3ntinel +ping',
    ],
  })
  for (const [options, reason] of [
    [{}, /ask for a password: put it into replay\.sentinel\.sentinelPassword/],
    [{ sentinelUsername: 'gateway', sentinelPassword: 'wrong' }, /refuse the user name or pass/],
    [{ sentinelUsername: 'other', sentinelPassword: 's3ntinel' }, /grant \+sentinel\|get-master/],
    [
      { ...{ sentinelUsername: 'gateway', sentinelPassword: 's3ntinel' }, name: 'x' },
      /see .*name$/,
    ],
  ] as const) {
    const store = createStore(t, { sentinel: { hosts, name: 'mymaster', ...options } })
    await until(() => store.events.length > 0)
    t.match(store.status(), { ready: false, reason })
    t.notMatch(JSON.stringify(store.events), /s3ntinel|wrong/)
    t.equal(await refusalOf(store), 'not ready')
    store.close()
  }
  const right = { sentinelUsername: 'gateway', sentinelPassword: 's3ntinel' }
  await createReadyStore(t, { sentinel: { hosts, name: 'mymaster', ...right } })

  const gone = createStore(t, { sentinel: { hosts: ['127.0.0.1:1'], name: 'mymaster' } })
  await until(() => gone.events.length > 0)
  t.match(gone.status(), { ready: false, reason: /has no Sentinel that answers$/ })
})
