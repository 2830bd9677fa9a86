import t from 'tap'
import { createMemoryReplayStore } from '../../src/dpop/memory-replay-store.ts'
import { replayStoreContract, take } from './replay-store.contract.ts'

const KEY = 'A'.repeat(43)

function createStore(maxEntries = 1000) {
  let now = 5000
  const store = createMemoryReplayStore({ maxEntries, monotonic: () => now })
  return {
    claim: (jti: string, ttlSeconds = 60) => take(store, KEY, jti, ttlSeconds),
    /** Moves the clock by so many seconds. */
    pass: (seconds: number) => void (now += seconds),
  }
}

t.test('contract', async (t) => {
  replayStoreContract(t, () => createMemoryReplayStore({ maxEntries: 1000 }))
})

t.test('#177 a proof is remembered for its ttl, wherever in a window it came', async (t) => {
  for (const offset of [0, 1, 30, 59, 59.999, 60, 61, 119, 120, 1000]) {
    const store = createStore()
    await store.claim('first')
    store.pass(offset)
    t.equal(await store.claim('one'), true, `offset ${offset}`)
    store.pass(59.99)
    t.equal(await store.claim('one'), false, `offset ${offset}, just before its end`)
  }
})

t.test('a proof is remembered while others keep coming', async (t) => {
  for (let offset = 0; offset < 60; offset += 1) {
    const store = createStore()
    store.pass(offset)
    await store.claim('one')
    for (let second = 0; second < 59; second += 1) {
      store.pass(1)
      await store.claim(`other ${second}`)
    }
    t.equal(await store.claim('one'), false, `offset ${offset}`)
  }
})

t.test('#177 a ttl longer than any before is kept to as well', async (t) => {
  const store = createStore()
  await store.claim('short', 1)
  store.pass(0.9)
  await store.claim('long', 600)
  store.pass(599.9)
  t.equal(await store.claim('long', 1), false)
})

t.test('what is past its time makes room', async (t) => {
  const store = createStore(2)
  await store.claim('one')
  await store.claim('two')
  store.pass(120)
  t.equal(await store.claim('three'), true)
  t.equal(await store.claim('one'), true)
})

t.test('after a long time without requests nothing is left', async (t) => {
  const store = createStore(1)
  await store.claim('one')
  store.pass(100_000)
  t.equal(await store.claim('two'), true)
})

t.test('full: refuses what is new, knows what is old', async (t) => {
  const store = createStore(2)
  await store.claim('one')
  store.pass(60)
  await store.claim('two')
  await t.rejects(store.claim('three'), { code: 'replay_store_unavailable', detail: 'full' })
  t.equal(await store.claim('one'), false)
  t.equal(await store.claim('two'), false)
})
