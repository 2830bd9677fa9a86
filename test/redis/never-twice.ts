/** Whatever becomes of Redis, no proof passes twice, and soon new ones pass again. */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Test } from 'tap'
import { Denial } from '../../src/denial.ts'
import type { Proof } from '../../src/dpop/proof.ts'
import { claimProof } from '../../src/dpop/replay.ts'
import type { RedisServers } from '../../src/redis/servers.ts'
import { contextFor } from '../dpop/context.ts'
import { createReadyStore, KEY, type TestStore } from './store.ts'

/** Longer than any test takes: a proof that is forgotten is none that has expired. */
const REMAINING_SECONDS = 600
const RECOVERY_MS = 20_000
/** How often it is tried while the fault lasts. */
const PERIOD_MS = 50
const { policy } = contextFor({ thumbprint: KEY })
const now = () => Math.floor(Date.now() / 1000)

/** What two stores of one Redis say of proofs, from before the fault until after it. */
export interface Trial {
  readonly servers: RedisServers
  /** Takes as long as it lasts. */
  readonly fault: (stores: readonly TestStore[]) => Promise<unknown>
  /** Between the first proof and the others. */
  readonly early?: () => Promise<unknown>
  /** How long new proofs may be refused. */
  readonly recoveryMs?: number
}

export async function neverTwice(t: Test, { servers, fault, early, ...trial }: Trial) {
  const { recoveryMs = RECOVERY_MS } = trial
  const options = { ...servers, timeoutMs: 1000 }
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
  await early?.()
  for (let i = 0; i < 20; i += 1) await use()

  const over = { is: false }
  const running = fault(stores).then(() => (over.is = true))
  const seen = new Set<string>()
  const deadline = performance.now() + recoveryMs
  for (let passed = 0; passed < 3;) {
    if (performance.now() > deadline) throw new Error('new proofs do not pass')
    for (const store of stores) await replay(store, used, seen)
    const alone = await Promise.all(stores.map((store) => sendNew(t, store, used)))
    const isShared = await raceForNew(t, stores, used)
    // Of the one that both try one loses to the other, or both know no better yet.
    passed = over.is && isShared && alone.every(Boolean) ? passed + 1 : 0
    await pause(PERIOD_MS)
  }
  await running
  for (const store of stores) await replay(store, used, seen)
  t.notOk(seen.has('passes'), [...seen].join())
}

/** A proof that is sent once: no fault of Redis is one of the client. */
async function sendNew(t: Test, store: TestStore, used: Proof[]): Promise<boolean> {
  const proof = makeProof()
  const code = await codeOf(store, proof)
  t.match(code, /^(passes|replay_store_unavailable)$/)
  if (code === 'passes') used.push(proof)
  return code === 'passes'
}

/** A proof that is sent to all at once. */
async function raceForNew(t: Test, stores: readonly TestStore[], used: Proof[]): Promise<boolean> {
  const proof = makeProof()
  const codes = await Promise.all(stores.map((store) => codeOf(store, proof)))
  t.ok(codes.filter((code) => code === 'passes').length <= 1, codes.join())
  t.notOk(codes.includes('proof_expired'), 'what is new is not refused for its age')
  if (codes.includes('passes')) used.push(proof)
  return codes.includes('passes')
}

async function replay(store: TestStore, used: readonly Proof[], seen: Set<string>): Promise<void> {
  const codes = await Promise.all(used.map((proof) => codeOf(store, proof)))
  for (const code of codes) seen.add(code)
}

function makeProof(): Proof {
  const issuedAt = now()
  return {
    ...{ jti: randomUUID(), thumbprint: KEY, issuedAt, remainingSeconds: REMAINING_SECONDS },
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
