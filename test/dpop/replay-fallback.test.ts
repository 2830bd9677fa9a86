import t from 'tap'
import { Denial } from '../../src/denial.ts'
import { createMemoryReplayStore } from '../../src/dpop/memory-replay-store.ts'
import { fallBackToLocal } from '../../src/dpop/replay-fallback.ts'
import type { ReplayStore } from '../../src/dpop/replay.ts'

/** Two instances over one shared store that can be taken away. */
function createInstances() {
  const memory = createMemoryReplayStore({ maxEntries: 100 })
  let failure: Error | undefined
  const shared: ReplayStore = {
    claim: (...claim) => (failure ? Promise.reject(failure) : memory.claim(...claim)),
  }
  const instance = () => fallBackToLocal(shared, createMemoryReplayStore({ maxEntries: 100 }))
  return { a: instance(), b: instance(), fail: (error?: Error) => void (failure = error) }
}

t.test(
  'a proof used at one instance is refused at the other while the store is there',
  async (t) => {
    const { a, b } = createInstances()
    t.equal(await a.claim('key', 'jti', 60), true)
    t.equal(await a.claim('key', 'jti', 60), false)
    t.equal(await b.claim('key', 'jti', 60), false)
  },
)

t.test('#181 while it is out of reach, once at each instance', async (t) => {
  const { a, b, fail } = createInstances()
  fail(new Denial('replay_store_unavailable'))
  t.equal(await a.claim('key', 'jti', 60), true)
  t.equal(await a.claim('key', 'jti', 60), false)
  t.equal(await b.claim('key', 'jti', 60), true)
})

t.test('what was used before an outage stays used in it', async (t) => {
  const { a, fail } = createInstances()
  t.equal(await a.claim('key', 'jti', 60), true)
  fail(new Denial('replay_store_unavailable'))
  t.equal(await a.claim('key', 'jti', 60), false)
})

t.test('any other failure is not an outage', async (t) => {
  const { a, fail } = createInstances()
  fail(new Error('a bug'))
  await t.rejects(a.claim('key', 'jti', 60), { message: 'a bug' })
})
