import t from 'tap'
import { startCluster } from '../support/redis-cluster.ts'
import { redisMissing, startRedis } from '../support/redis.ts'
import { startSentinels } from '../support/sentinel.ts'
import { until } from '../support/until.ts'
import { createClient, createReadyStore, createStore, KEY, refusalOf } from './store.ts'

// What docs/operations.md lists: no more is needed.
const SINGLE = ['+set', '+get', '+info']
const CLUSTER = [...SINGLE, '+asking', '+cluster|slots', '+cluster|info']
const USER = { username: 'gateway', password: 's3cret' }

const rules = (commands: readonly string[]) =>
  ['gateway', 'reset', 'on', '>s3cret', '~dpop:*', ...commands] as const

t.test('the least a user needs', { skip: redisMissing }, async (t) => {
  const { url } = await startRedis(t)
  await createClient(t, url).acl('SETUSER', ...rules(SINGLE))
  const store = await createReadyStore(t, { url: url.replace('//', '//gateway:s3cret@') })
  await until(async () => (await refusalOf(store)) === undefined)
  t.equal(await store.take(KEY, 'one', 60), true)
  t.equal(await store.take(KEY, 'one', 60), false)
})

t.test('the least a user of Sentinel and of its Redis needs', { skip: redisMissing }, async (t) => {
  const { master, hosts } = await startSentinels(t, {
    sentinelLines: ['user watcher on >s3ntinel +sentinel|get-master-addr-by-name'],
  })
  await createClient(t, master.url).acl('SETUSER', ...rules(SINGLE))
  const store = await createReadyStore(t, {
    sentinel: {
      ...{ hosts, name: 'mymaster', ...USER },
      ...{ sentinelUsername: 'watcher', sentinelPassword: 's3ntinel' },
    },
  })
  await until(async () => (await refusalOf(store)) === undefined)
})

t.test('the least a user of a cluster needs', { skip: redisMissing }, async (t) => {
  const { nodes, clients } = await startCluster(t)
  for (const client of clients) await client.acl('SETUSER', ...rules(CLUSTER))
  const store = await createReadyStore(t, { cluster: { nodes, ...USER } })
  await until(async () => (await refusalOf(store)) === undefined)

  for (const client of clients) {
    await client.acl('SETUSER', ...rules(CLUSTER.filter((it) => it !== '+cluster|slots')))
  }
  const without = createStore(t, { cluster: { nodes, ...USER } })
  await until(() => without.events.length > 0)
  t.match(without.status(), { ready: false, reason: /does not let this user run/ })
  t.equal(without.problemWord(), 'NOPERM')
})
