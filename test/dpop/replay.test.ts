import { createHash } from 'node:crypto'
import t from 'tap'
import { createNonces } from '../../src/dpop/nonce.ts'
import type { Proof } from '../../src/dpop/proof.ts'
import type { ProofPolicy } from '../../src/dpop/proof-context.ts'
import { claimProof, replayKey, type ReplayStore } from '../../src/dpop/replay.ts'
import { contextFor } from './context.ts'

const KEY = 'A'.repeat(43)
const SINCE = 1_000_000
const LATER = SINCE + 40
const { policy } = contextFor({ thumbprint: KEY })
const nonces = createNonces({ secrets: ['secret'], lifetimeSeconds: 300 })

t.test('#171 #172 the name of a pair is the SHA-256 of thumbprint, NUL and jti', async (t) => {
  const jti = 'a\0b\n:+/='
  const expected = createHash('sha256').update(`AAA\0${jti}`).digest('base64url')
  t.equal(replayKey('AAA', jti), expected)
  t.match(replayKey('AAA', 'x'.repeat(10_000)), /^[\w-]{43}$/)
})

/** A store that remembers since then. */
const store = (isFirst: boolean, rememberedSince = SINCE): ReplayStore => ({
  claim: () => Promise.resolve({ isFirst, rememberedSince }),
})

const proof = (issuedAt: number, nonceMadeAt?: number) =>
  ({
    ...{ thumbprint: KEY, jti: 'one', remainingSeconds: 60, issuedAt, nonceMadeAt },
  }) as Proof

interface Setting {
  readonly now?: number
  readonly isFirst?: boolean
  readonly rules?: Partial<ProofPolicy>
}

async function codeOf(
  made: Proof,
  { now = LATER, isFirst = true, rules = {} }: Setting = {},
): Promise<unknown> {
  const context = { now, policy: { ...policy, ...rules } }
  try {
    await claimProof(store(isFirst), made, context)
    return 'passes'
  } catch (error) {
    return (error as { readonly code?: unknown }).code
  }
}

t.test('a proof from before the store began to remember is refused', async (t) => {
  t.equal(await codeOf(proof(SINCE + 1)), 'passes')
  t.equal(await codeOf(proof(SINCE)), 'proof_expired')
  t.equal(await codeOf(proof(SINCE - 20)), 'proof_expired')
  t.equal(await codeOf(proof(SINCE), { isFirst: false }), 'proof_replayed')
})

t.test('one that was made just now is not refused for its age', async (t) => {
  t.equal(await codeOf(proof(SINCE), { now: SINCE + 5 }), 'replay_store_unavailable')
  t.equal(await codeOf(proof(SINCE), { now: SINCE + 6 }), 'proof_expired')
})

t.test('where nonces are to be had, they say when it was made', async (t) => {
  for (const rules of [{ nonces }, { asksForNonceInOutage: true }]) {
    t.equal(await codeOf(proof(SINCE + 9, SINCE), { rules }), 'proof_nonce')
    t.equal(await codeOf(proof(SINCE - 9, SINCE + 1), { rules }), 'passes')
  }
  t.equal(await codeOf(proof(SINCE), { rules: { asksForNonceInOutage: true } }), 'proof_nonce')
  t.equal(await codeOf(proof(SINCE + 1, SINCE)), 'passes', 'elsewhere iat does')
})
