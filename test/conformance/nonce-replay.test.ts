/** Group E, #196: a proof with a nonce is remembered for as long as its nonce is accepted (§11.1). */
import t from 'tap'
import { createBoundKeys } from '../../src/dpop/bound-key.ts'
import { createMemoryReplayStore } from '../../src/dpop/memory-replay-store.ts'
import { createNonces } from '../../src/dpop/nonce.ts'
import type { ReplayStore } from '../../src/dpop/replay.ts'
import { createGate } from '../../src/gate.ts'
import { tokenOf } from '../dpop/context.ts'
import { createClient } from '../support/client.ts'
import { policyOf } from '../support/policy.ts'

const TARGET = 'https://api.example.com/orders'
const NOW = 1_700_000_000
const LIFETIME = 300
const MAX_AGE = 60
/** How far the clock of the instance that made a nonce may be ahead. */
const NONCE_SKEW = 30

const nonces = createNonces({ secrets: ['secret'], lifetimeSeconds: LIFETIME })
const client = await createClient()

/** Forgets a proof at the very instant it may, as Redis does. */
function createExactStore(monotonic: () => number, ttls: number[]): ReplayStore {
  const until = new Map<string, number>()
  return {
    claim({ thumbprint, jti, ttlSeconds }) {
      ttls.push(ttlSeconds)
      const key = `${thumbprint} ${jti}`
      if ((until.get(key) ?? 0) > monotonic())
        return Promise.resolve({ isFirst: false, rememberedSince: -Infinity })
      until.set(key, monotonic() + ttlSeconds)
      return Promise.resolve({ isFirst: true, rememberedSince: -Infinity })
    },
  }
}

interface Setting {
  readonly clockSkewSeconds: number
  readonly store?: 'memory'
  /** Of another route. */
  readonly rememberSeconds?: number
  /** Whether it is another route that requires nonces, and not this one. */
  readonly isElsewhere?: boolean
}

/** A gate that requires nonces. A test moves the time, of which the clock shows whole seconds. */
function createTimedGate({ clockSkewSeconds, store, rememberSeconds, isElsewhere }: Setting) {
  let time = NOW
  let behind = 0
  const ttls: number[] = []
  const monotonic = () => time
  const proof = {
    algorithms: new Set(['ES256']),
    ...{ maxAgeSeconds: MAX_AGE, clockSkewSeconds, maxBytes: 8192 },
    ...(isElsewhere ? { knownNonces: nonces } : { nonces }),
    ...(rememberSeconds !== undefined && { rememberSeconds }),
  }
  const token = tokenOf(client.thumbprint)
  const gate = createGate(policyOf(proof), {
    verifyToken: () => Promise.resolve(token),
    replays:
      store === 'memory'
        ? createMemoryReplayStore({ maxEntries: 100, monotonic })
        : createExactStore(monotonic, ttls),
    boundKeys: createBoundKeys(),
    clock: () => Math.floor(time - behind),
  })
  return {
    ttls,
    /** `admitted`, or the code of the refusal; `late` is how far the clock is behind. */
    admit: async (signed: string, at: number, late = 0): Promise<unknown> => {
      time = at
      behind = late
      const fields = { authorization: ['DPoP token'], proofs: [signed], query: '' }
      try {
        await gate.admit({ ...fields, method: 'GET', target: TARGET })
        return 'admitted'
      } catch (error) {
        return error instanceof Error && 'code' in error ? error.code : error
      }
    },
  }
}

/** By how many seconds iat is ahead. */
const IATS = {
  right: 0,
  '10 minutes ahead': 600,
  '10 minutes behind': -600,
  'at the skew': 30,
  'a year ahead': 31_536_000,
  'in milliseconds': NOW * 999,
  'as far as numbers go': 1.7e308,
  '0': -NOW,
  'hugely negative': -1.7e308,
}

for (const store of ['exact', 'memory'] as const) {
  t.test(`#196 by a store that is ${store}`, async (t) => {
    for (const [name, ahead] of Object.entries(IATS)) {
      for (const age of [-NONCE_SKEW, 0, LIFETIME - 1]) {
        for (const clockSkewSeconds of [0, 30]) {
          const { admit, ttls } = createTimedGate({
            clockSkewSeconds,
            ...(store === 'memory' && { store }),
          })
          const what = `iat ${name}, a nonce ${age} s old, skew ${clockSkewSeconds}`
          const claims = { iat: NOW + ahead, nonce: nonces.current(NOW - age) }
          const proof = await client.proof({ url: TARGET, token: 'token', claims })
          const last = NOW - age + LIFETIME
          t.equal(await admit(proof, NOW + 0.001), 'admitted', what)
          for (const at of [NOW + 0.5, NOW + 61, NOW + 121, last - 1, last - 0.001]) {
            if (at >= last) continue
            const replayed = await admit(proof, at)
            t.equal(replayed, 'proof_replayed', `${what}: ${at - NOW} s later`)
          }
          const slow = await admit(proof, last + clockSkewSeconds - 0.001, clockSkewSeconds)
          t.equal(slow, 'proof_replayed', `${what}: where the clock is behind`)
          t.equal(await admit(proof, last), 'proof_nonce', what)
          const longest = NONCE_SKEW + LIFETIME + Math.max(clockSkewSeconds, 1)
          t.ok(
            ttls.every((ttl) => ttl > 0 && ttl <= longest),
            `${what}: ${ttls.join(', ')} s`,
          )
        }
      }
    }
  })
}

t.test('#177 where another route takes older proofs it is remembered for that long', async (t) => {
  const rememberSeconds = 3600
  for (const [ahead, expected] of [
    [0, rememberSeconds],
    [-600, rememberSeconds - 600],
    [30, rememberSeconds + 30],
    [600, rememberSeconds + 30],
    [1.7e308, rememberSeconds + 30],
    [-NOW, LIFETIME + 30],
  ] as const) {
    const { admit, ttls } = createTimedGate({ clockSkewSeconds: 30, rememberSeconds })
    const claims = { iat: NOW + ahead, nonce: nonces.current(NOW) }
    t.equal(
      await admit(await client.proof({ url: TARGET, token: 'token', claims }), NOW),
      'admitted',
    )
    t.strictSame(ttls, [expected], `iat ${ahead} s ahead`)
  }
})

t.test('#196 also where another route requires nonces and this one does not', async (t) => {
  for (const [nonce, expected] of [
    [nonces.current(NOW), LIFETIME + 30],
    [nonces.current(NOW + 1 - LIFETIME), MAX_AGE + 30],
    [nonces.current(NOW - LIFETIME), MAX_AGE + 30],
    ['garbage', MAX_AGE + 30],
  ] as const) {
    const { admit, ttls } = createTimedGate({ clockSkewSeconds: 30, isElsewhere: true })
    const claims = { iat: NOW, nonce }
    const proof = await client.proof({ url: TARGET, token: 'token', claims })
    t.equal(await admit(proof, NOW), 'admitted')
    t.strictSame(ttls, [expected])
  }
})

t.test('#156 iat 1e400 is refused before anything is remembered', async (t) => {
  const { admit, ttls } = createTimedGate({ clockSkewSeconds: 30 })
  const base = { url: TARGET, token: 'token' }
  const [, payload = ''] = (await client.proof(base)).split('.')
  const members = Buffer.from(payload, 'base64url').toString()
  const nonce = `"nonce":"${nonces.current(NOW)}"`
  for (const iat of ['1e400', '-1e400']) {
    const raw = { payload: members.replace(/"iat":\d+/, `"iat":${iat},${nonce}`) }
    t.equal(await admit(await client.proof({ ...base, raw }), NOW), 'proof_claim_missing')
  }
  t.strictSame(ttls, [])
})
