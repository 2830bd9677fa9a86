import t from 'tap'
import { Denial } from '../../src/denial.ts'
import { createMemoryReplayStore } from '../../src/dpop/memory-replay-store.ts'
import { fallBackToLocal, fallBackToNonces } from '../../src/dpop/replay-fallback.ts'
import type { Claim, ReplayStore } from '../../src/dpop/replay.ts'

type Wrap = (shared: ReplayStore, own: ReplayStore, clock: () => number) => ReplayStore

const T = 1_000_000
const OUTAGE = new Denial('replay_store_unavailable')
const unavailable = { code: 'replay_store_unavailable' }
const asksForNonce = { code: 'proof_nonce' }

/** Two instances over one shared store that can be taken away. */
function createInstances(wrap: Wrap = fallBackToLocal) {
  const memory = createMemoryReplayStore({ maxEntries: 100 })
  let failure: Error | undefined
  let now = T
  const shared: ReplayStore = {
    claim: (claim) => (failure ? Promise.reject(failure) : memory.claim(claim)),
  }
  const instance = () => {
    const store = wrap(shared, createMemoryReplayStore({ maxEntries: 100 }), () => now)
    const claim = (thumbprint: string, jti: string, ttlSeconds: number, rest?: Partial<Claim>) =>
      store.claim({ thumbprint, jti, ttlSeconds, ...rest })
    return {
      claim: async (...args: Parameters<typeof claim>) => (await claim(...args)).isFirst,
      /** With a nonce that was made then. */
      withNonce: async (jti: string, nonceMadeAt: number) =>
        (await claim('key', jti, 60, { nonceMadeAt })).isFirst,
      since: async (jti: string) => (await claim('key', jti, 60)).rememberedSince,
    }
  }
  return {
    ...{ a: instance(), b: instance() },
    fail: (error?: Error) => void (failure = error),
    at: (time: number) => void (now = time),
  }
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

t.test('nonce: while all is well nothing is asked for', async (t) => {
  const { a, b } = createInstances(fallBackToNonces)
  t.equal(await a.claim('key', 'jti', 60), true)
  t.equal(await b.claim('key', 'jti', 60), false)
  t.equal(await a.since('other'), -Infinity)
})

t.test('nonce: in an outage it has to be one made since then, seconds ago', async (t) => {
  const { a, fail, at } = createInstances(fallBackToNonces)
  fail(OUTAGE)
  await t.rejects(a.withNonce('jti', T), unavailable, 'no nonce of this second tells')
  at(T + 1)
  await t.rejects(a.claim('key', 'jti', 60), asksForNonce, 'none')
  await t.rejects(a.withNonce('jti', T), asksForNonce, 'of before')
  t.equal(await a.withNonce('jti', T + 1), true)
  t.equal(await a.withNonce('jti', T + 1), false, 'once at this instance')
  at(T + 11)
  t.equal(await a.withNonce('as old as may be', T + 1), true)
  at(T + 12)
  await t.rejects(a.withNonce('too old', T + 1), asksForNonce)
})

t.test('nonce: what is used between two outages does not pass in the second', async (t) => {
  const { a, fail, at } = createInstances(fallBackToNonces)
  fail(OUTAGE)
  await t.rejects(a.withNonce('first', T), unavailable)
  fail()
  at(T + 2)
  t.equal(await a.withNonce('jti', T + 2), true)
  fail(OUTAGE)
  at(T + 3)
  await t.rejects(a.withNonce('jti', T + 2), unavailable)
  at(T + 4)
  await t.rejects(a.withNonce('jti', T + 2), asksForNonce)
})

t.test('nonce: after an outage what was made in it is not known', async (t) => {
  const { a, fail, at } = createInstances(fallBackToNonces)
  fail(OUTAGE)
  await t.rejects(a.claim('key', 'jti', 60), unavailable)
  at(T + 5)
  t.equal(await a.withNonce('jti', T + 5), true)
  fail()
  at(T + 9)
  t.equal(await a.since('other'), T + 5)
})

t.test('nonce: a claim that was late once is no outage', async (t) => {
  const { a, fail, at } = createInstances(fallBackToNonces)
  fail(OUTAGE)
  await t.rejects(a.claim('key', 'jti', 60), unavailable)
  fail()
  at(T + 1)
  t.equal(await a.since('other'), -Infinity)
})

t.test('nonce: any other failure is not an outage', async (t) => {
  const { a, fail } = createInstances(fallBackToNonces)
  fail(new Error('a bug'))
  await t.rejects(a.claim('key', 'jti', 60), { message: 'a bug' })
})

t.test('nonce: what was taken in an outage stays used, without its nonce too', async (t) => {
  const { a, fail, at } = createInstances(fallBackToNonces)
  fail(OUTAGE)
  await t.rejects(a.withNonce('first', T), unavailable)
  at(T + 2)
  t.equal(await a.withNonce('jti', T + 1), true)
  fail()
  at(T + 30)
  t.equal(await a.claim('key', 'jti', 60), false, 'dated ahead, with a nonce that has expired')
  t.equal(await a.claim('key', 'other', 60), true)
})

t.test('nonce: a clock that was ahead in an outage and is set back', async (t) => {
  const { a, fail, at } = createInstances(fallBackToNonces)
  at(T + 3600)
  fail(OUTAGE)
  await t.rejects(a.withNonce('first', T), unavailable)
  at(T + 3602)
  t.equal(await a.withNonce('second', T + 3601), true)
  at(T + 10)
  await t.rejects(a.withNonce('third', T + 10), unavailable)
  at(T + 12)
  t.equal(await a.withNonce('fourth', T + 12), true, 'the outage goes on')
  at(T + 5)
  fail()
  t.equal(await a.since('fifth'), T + 5)
  at(T + 7)
  t.equal(await a.since('sixth'), T + 5)
})
