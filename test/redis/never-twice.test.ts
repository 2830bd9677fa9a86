/** Whatever becomes of Redis, no proof passes twice, and soon new ones pass again. */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { Denial } from '../../src/denial.ts'
import type { Proof } from '../../src/dpop/proof.ts'
import { claimProof } from '../../src/dpop/replay.ts'
import { contextFor } from '../dpop/context.ts'
import { redisMissing, startRedis, type TestRedis } from '../support/redis.ts'
import { createClient, createReadyStore, KEY, type TestStore } from './store.ts'

const MAX_AGE_SECONDS = 60
const RECOVERY_MS = 20_000
const { policy } = contextFor({ thumbprint: KEY })
const now = () => Math.floor(Date.now() / 1000)

interface Scene {
  readonly redis: TestRedis
  readonly admin: ReturnType<typeof createClient>
}

/** From the moment it begins until it is over. */
type Fault = (scene: Scene) => Promise<unknown>

const FAULTS: Readonly<Record<string, Fault>> = {
  'killed, and started empty': ({ redis }) => redis.start(),
  FLUSHALL: ({ admin }) => admin.flushall(),
  'the marker alone is gone': ({ admin }) => admin.del('dpop:epoch'),
  'the marker is no marker': ({ admin }) => admin.set('dpop:epoch', 'something else'),
  'the marker is of a clock far ahead': ({ admin }) => admin.set('dpop:epoch', '99999999999 x'),
  'frozen, and emptied when it thaws': async ({ redis, admin }) => {
    redis.freeze()
    const emptied = admin.flushall()
    await pause(500)
    redis.thaw()
    await emptied
  },
  'frozen until it is given up': async ({ redis }) => {
    redis.freeze()
    await pause(3500)
    redis.thaw()
  },
}

for (const [name, fault] of Object.entries(FAULTS)) {
  t.test(name, { skip: redisMissing }, async (t) => {
    const redis = await startRedis(t)
    await neverTwice(t, redis, fault)
  })
}

t.test('started with a snapshot of before', { skip: redisMissing }, async (t) => {
  const redis = await startRedis(t, ['--dir', t.testdir()])
  await neverTwice(
    t,
    redis,
    ({ redis }) => redis.start(),
    ({ admin }) => admin.save(),
  )
})

t.test('it becomes another server, with another history', { skip: redisMissing }, async (t) => {
  const redis = await startRedis(t, ['--dir', t.testdir()])
  const admin = createClient(t, redis.url)
  await admin.set('dpop:epoch', `${now() - 3600} ${'a'.repeat(40)}`)
  await admin.save()
  await admin.flushall()
  await neverTwice(t, redis, ({ redis }) => redis.start())
})

async function neverTwice(t: Test, redis: TestRedis, fault: Fault, early?: Fault): Promise<void> {
  const scene = { redis, admin: createClient(t, redis.url) }
  const options = { url: redis.url, timeoutMs: 1000 }
  const stores = [await createReadyStore(t, options), await createReadyStore(t, options)]
  const used: Proof[] = []
  const use = async () => {
    for (const store of stores) {
      const proof = makeProof()
      t.equal(await codeOf(store, proof), 'passes')
      used.push(proof)
    }
  }
  await use()
  await early?.(scene)
  for (let i = 0; i < 20; i += 1) await use()

  const over = { is: false }
  const running = fault(scene).then(() => (over.is = true))
  const seen = new Set<string>()
  const deadline = performance.now() + RECOVERY_MS
  for (let passed = 0; passed < 3;) {
    if (performance.now() > deadline) throw new Error('new proofs do not pass')
    for (const store of stores) await replay(store, used, seen)
    const fresh = makeProof()
    const codes = await Promise.all(stores.map((store) => codeOf(store, fresh)))
    t.notMatch(codes, ['passes', 'passes'])
    t.notOk(codes.includes('proof_expired'), 'what is new is not refused for its age')
    if (codes.includes('passes')) used.push(fresh)
    // One of them loses to the other, or both know no better yet.
    passed = over.is && codes.includes('passes') ? passed + 1 : 0
    await pause(50)
  }
  await running
  for (const store of stores) await replay(store, used, seen)
  t.notOk(seen.has('passes'), [...seen].join())
}

async function replay(store: TestStore, used: readonly Proof[], seen: Set<string>): Promise<void> {
  const codes = await Promise.all(used.map((proof) => codeOf(store, proof)))
  for (const code of codes) seen.add(code)
}

function makeProof(): Proof {
  const issuedAt = now()
  return {
    ...{ jti: randomUUID(), thumbprint: KEY, issuedAt, remainingSeconds: MAX_AGE_SECONDS },
    ...{ nonce: '', nonceMadeAt: undefined },
    header: {
      key: () => 'unusable',
      segment: '',
      wellFormed: true,
      typ: '',
      alg: '',
      leaksKey: false,
    },
  }
}

async function codeOf(store: TestStore, proof: Proof): Promise<string> {
  try {
    await claimProof(store, proof, { policy, now: now() })
    return 'passes'
  } catch (error) {
    if (error instanceof Denial) return error.code
    throw error
  }
}
