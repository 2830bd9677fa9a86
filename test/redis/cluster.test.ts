import t from 'tap'
import { joinCluster, moveSlots, startCluster, startNode } from '../support/redis-cluster.ts'
import { redisMissing } from '../support/redis.ts'
import { until } from '../support/until.ts'
import {
  createClient,
  createReadyStore,
  createStore,
  KEY,
  refusalOf,
  type TestStore,
} from './store.ts'

const PARTIAL = ['--cluster-require-full-coverage', 'no']

// A node that was gone is not taken back before the others have voted.
const REJOIN_MS = 40_000

/** What many claims come to: how often each detail of a refusal, and `won`. */
async function tally(store: TestStore, claims = 60): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (let done = 0; done < claims; done += 1) {
    const refusal = (await refusalOf(store)) ?? 'won'
    counts[refusal] = (counts[refusal] ?? 0) + 1
  }
  return counts
}

t.test(
  '#178 of many copies at two gateways one wins, on whichever node',
  { skip: redisMissing },
  async (t) => {
    const { nodes, clients } = await startCluster(t)
    const one = await createReadyStore(t, { cluster: { nodes } })
    const two = await createReadyStore(t, { cluster: { nodes: nodes.slice(0, 1) } })
    t.match(one.events, [/^info: Redis Cluster at 127\.0\.0\.1:\d+, .* is ready \(version \d/])
    // Until the second is over in which the cluster began to remember.
    await until(async () => (await refusalOf(one)) === undefined)
    await until(async () => (await refusalOf(two)) === undefined)
    for (let round = 0; round < 60; round += 1) {
      const copies = [one, two, one, two].map((store) => store.take(KEY, String(round), 60))
      t.equal((await Promise.all(copies)).filter((free) => free).length, 1)
    }
    for (const client of clients) t.ok((await client.dbsize()) > 5, 'each node has its part')
  },
)

t.test(
  'one master is lost: its slots are refused, and come back',
  { skip: redisMissing },
  async (t) => {
    const { nodes, masters } = await startCluster(t, PARTIAL)
    const store = await createReadyStore(t, { cluster: { nodes } })
    await until(async () => (await tally(store))['won'] === 60)
    await masters[1]?.stop()
    const counts = await tally(store)
    t.ok((counts['won'] ?? 0) > 10, JSON.stringify(counts))
    t.ok((counts['won'] ?? 0) < 55, JSON.stringify(counts))
    t.strictSame(
      Object.keys(counts).filter((it) => !/^(won|disconnected|MOVED|CLUSTERDOWN)$/.test(it)),
      [],
    )
    await until(() => store.events.some((event) => /node .* refuses connections/.test(event)))
    t.same(store.status(), { ready: true })

    await masters[1]?.start()
    await until(async () => (await tally(store))['won'] === 60)
    await until(() => store.events.some((event) => event.endsWith('is back')))
  },
)

t.test('the cluster is down as a whole, and comes back', { skip: redisMissing }, async (t) => {
  const { nodes, masters } = await startCluster(t)
  const store = await createReadyStore(t, { cluster: { nodes } })
  await masters[2]?.stop()
  await until(async () => Object.keys(await tally(store, 5)).join() === 'not ready', REJOIN_MS)
  t.match(store.status(), { ready: false, reason: /: node .* says that the cluster is down$/ })
  t.equal(store.problemWord(), 'CLUSTERDOWN')
  await masters[2]?.start()
  await until(async () => (await tally(store))['won'] === 60, REJOIN_MS)
})

t.test('all nodes are gone, and come back', { skip: redisMissing }, async (t) => {
  const { nodes, masters } = await startCluster(t)
  const store = await createReadyStore(t, { cluster: { nodes } })
  await Promise.all(masters.map((master) => master.stop()))
  await until(() => !store.status().ready)
  t.match(await refusalOf(store), /^(not ready|disconnected)$/)
  await Promise.all(masters.map((master) => master.start()))
  await until(async () => (await tally(store))['won'] === 60, REJOIN_MS)
})

t.test('no node is there at the start', { skip: redisMissing }, async (t) => {
  const store = createStore(t, { cluster: { nodes: ['127.0.0.1:1'] } })
  await until(() => store.events.length > 0)
  t.equal(await refusalOf(store), 'not ready')
  t.match(store.events, [/^warn: Redis Cluster at 127\.0\.0\.1:1 cannot be reached$/])
})

t.test('one master that evicts takes all down', { skip: redisMissing }, async (t) => {
  const { nodes, clients } = await startCluster(t)
  const store = await createReadyStore(t, { cluster: { nodes } })
  await clients[0]?.config('SET', 'maxmemory-policy', 'allkeys-lru')
  await clients[0]?.config('SET', 'maxmemory', '100mb')
  await until(() => !store.status().ready)
  t.match(store.status(), { reason: /: node .*maxmemory-policy is allkeys-lru/ })
  t.equal(await refusalOf(store), 'not ready')
  await clients[0]?.config('SET', 'maxmemory', '0')
  await until(() => store.status().ready)
})

t.test('slots that have moved are found', { skip: redisMissing }, async (t) => {
  const { nodes, clients } = await startCluster(t)
  const store = await createReadyStore(t, { cluster: { nodes } })
  await until(async () => (await tally(store))['won'] === 60)
  await clients[0]?.flushall()
  await moveSlots(clients, [0, 5460], String(await clients[1]?.cluster('MYID')))
  await until(async () => (await tally(store))['won'] === 60)
  t.equal(await clients[0]?.dbsize(), 0)
  await until(() => store.status().ready)
})

t.test('a new node counts only once it is found fit', { skip: redisMissing }, async (t) => {
  const { nodes, clients } = await startCluster(t)
  const store = await createReadyStore(t, { cluster: { nodes } })
  await until(async () => (await tally(store))['won'] === 60)
  const late = await startNode(t, ['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'])
  const all = [...clients, createClient(t, late.url)]
  await joinCluster(all, late)
  await Promise.all(clients.map((client) => client.flushall()))
  await moveSlots(all, [0, 16_383], String(await all[3]?.cluster('MYID')))
  t.equal((await tally(store))['won'], undefined)
  await until(() => !store.status().ready)
  t.match(store.status(), { reason: `node 127.0.0.1:${late.port} may evict proofs` })
})
