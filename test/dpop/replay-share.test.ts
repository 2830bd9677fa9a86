import t from 'tap'
import { Denial } from '../../src/denial.ts'
import { createMemoryReplayStore } from '../../src/dpop/memory-replay-store.ts'
import { limitPerKey } from '../../src/dpop/replay-share.ts'
import { replayStoreContract, take } from './replay-store.contract.ts'

const ALICE = 'A'.repeat(43)
const BOB = 'B'.repeat(43)
const overloaded = { code: 'overloaded' }

t.test('contract', async (t) => {
  replayStoreContract(t, () =>
    limitPerKey(createMemoryReplayStore({ maxEntries: 1000 }), { maxEntriesPerKey: 500 }),
  )
})

t.test('#184 one key floods unique jtis: it is refused, others are not', async (t) => {
  const store = limitPerKey(createMemoryReplayStore({ maxEntries: 1000 }), { maxEntriesPerKey: 3 })
  for (const jti of ['1', '2', '3']) t.equal(await take(store, ALICE, jti, 60), true)
  await t.rejects(take(store, ALICE, '4', 60), overloaded)
  t.equal(await take(store, BOB, '4', 60), true)
})

t.test('#184 many at once do not slip past the cap', async (t) => {
  const store = limitPerKey(createMemoryReplayStore({ maxEntries: 1000 }), { maxEntriesPerKey: 3 })
  const claims = Array.from({ length: 50 }, (_, i) => take(store, ALICE, String(i), 60))
  const results = await Promise.allSettled(claims)
  t.equal(results.filter(({ status }) => status === 'fulfilled').length, 3)
})

t.test('#184 replays and faults do not count', async (t) => {
  let down = false
  const memory = createMemoryReplayStore({ maxEntries: 1000 })
  const store = limitPerKey(
    {
      async claim(...claim) {
        if (down) throw new Denial('replay_store_unavailable')
        return memory.claim(...claim)
      },
    },
    { maxEntriesPerKey: 2 },
  )
  t.equal(await take(store, ALICE, '1', 60), true)
  for (let i = 0; i < 5; i += 1) t.equal(await take(store, ALICE, '1', 60), false)
  down = true
  await t.rejects(take(store, ALICE, '2', 60), { code: 'replay_store_unavailable' })
  down = false
  t.equal(await take(store, ALICE, '2', 60), true)
})

t.test('#184 the share is given back after two windows', async (t) => {
  let now = 0
  const monotonic = () => now
  const memory = createMemoryReplayStore({ maxEntries: 1000, monotonic })
  const store = limitPerKey(memory, { maxEntriesPerKey: 1, monotonic })
  await take(store, ALICE, '1', 60)
  now = 60
  await t.rejects(take(store, ALICE, '2', 60), overloaded)
  now = 120
  t.equal(await take(store, ALICE, '2', 60), true)
})
