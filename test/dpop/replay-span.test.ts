import t from 'tap'
import { createMemoryReplayStore } from '../../src/dpop/memory-replay-store.ts'
import { createReplaySpan } from '../../src/dpop/replay-span.ts'

const T = 1_000_000

function createSpan() {
  let now = T
  let count = 0
  const { store, lengthen } = createReplaySpan(
    createMemoryReplayStore({ maxEntries: 100 }),
    () => now,
  )
  return {
    lengthen,
    /** Since when it remembers, at that time. */
    since: async (time: number): Promise<number> => {
      now = time
      const jti = String((count += 1))
      return (await store.claim({ thumbprint: 'key', jti, ttlSeconds: 60 })).rememberedSince
    },
  }
}

t.test('without a change it changes nothing', async (t) => {
  t.equal(await createSpan().since(T), -Infinity)
})

t.test('what is older than proofs were remembered is refused', async (t) => {
  const { lengthen, since } = createSpan()
  lengthen(90)
  t.equal(await since(T), T - 90)
  t.equal(await since(T + 50), T - 40)
})

t.test('until nothing is left of the time before', async (t) => {
  const { lengthen, since } = createSpan()
  lengthen(90)
  t.equal(await since(T + 180), T + 90, 'a proof may have been dated ahead when it was used')
  t.equal(await since(T + 10_000), T + 90)
})

t.test('of several changes the shortest time counts, from the last', async (t) => {
  const { lengthen, since } = createSpan()
  lengthen(90)
  await since(T + 100)
  lengthen(300)
  t.equal(await since(T + 120), T + 30)
  t.equal(await since(T + 10_000), T + 190)
})

t.test('a proof that was used stays used', async (t) => {
  const store = createMemoryReplayStore({ maxEntries: 100 })
  const span = createReplaySpan(store, () => T)
  span.lengthen(90)
  const claim = { thumbprint: 'key', jti: 'one', ttlSeconds: 60 }
  await store.claim(claim)
  t.equal((await span.store.claim(claim)).isFirst, false)
})
