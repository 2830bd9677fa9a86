import t from 'tap'
import { createGate } from '../../src/gate.ts'
import { createMemoryReplayStore } from '../../src/dpop/memory-replay-store.ts'
import { createBoundKeys } from '../../src/dpop/bound-key.ts'
import { decodeProof } from '../../src/dpop/decoded-proof.ts'
import { verifyProof } from '../../src/dpop/proof.ts'
import { createClient } from '../support/client.ts'
import { policyOf } from '../support/policy.ts'
import { contextFor, tokenOf, TARGET } from './context.ts'

t.test('a header is kept for one token, not for another with the same claims', async (t) => {
  const client = await createClient()
  const [token, same] = [tokenOf(client.thumbprint), tokenOf(client.thumbprint)]
  const keys = createBoundKeys()
  const { header } = decodeProof([await client.proof({ url: TARGET, token: 'token' })])
  keys.remember(token, header)
  t.equal(keys.recall(token)?.segment, header.segment)
  t.equal(keys.recall(same), undefined)
  t.equal(createBoundKeys().recall(token), undefined)
})

t.test('a header that is known is not read again, and no other is taken for it', async (t) => {
  const [client, other] = [await createClient(), await createClient()]
  const context = contextFor(client)
  const sign = (signer = client) => signer.proof({ url: TARGET, token: 'token' })
  const { header } = verifyProof([await sign()], context)
  t.equal(verifyProof([await sign()], context, header).header, header)
  const expected = { code: 'token_key_mismatch' }
  const proof = await sign(other)
  t.throws(() => verifyProof([proof], context, header), expected)
  const known = decodeProof([proof]).header
  t.throws(() => verifyProof([proof], context, known), expected, 'known, but of another token')
  const forged = await client.proof({ url: TARGET, token: 'token', signer: other })
  t.throws(() => verifyProof([forged], context, header), { code: 'proof_signature' })
})

t.test('what is known is held against the policy of each request', async (t) => {
  const client = await createClient()
  const context = contextFor(client)
  const proof = await client.proof({ url: TARGET, token: 'token' })
  const { header } = verifyProof([proof], context)
  const policy = { ...context.policy, algorithms: new Set(['PS256']) }
  t.throws(() => verifyProof([proof], { ...context, policy }, header), { code: 'proof_algorithm' })
})

t.test('a header is kept once its request has passed everything, and not before', async (t) => {
  const client = await createClient()
  const { policy, now } = contextFor(client)
  const token = tokenOf(client.thumbprint)
  const boundKeys = createBoundKeys()
  const gateWith = (scopes: readonly string[], maxEntries: number) =>
    createGate(policyOf(policy, { scopes }), {
      verifyToken: () => Promise.resolve(token),
      replays: createMemoryReplayStore({ maxEntries }),
      boundKeys,
      clock: () => now,
    })
  const proof = await client.proof({ url: TARGET, token: 'token' })
  const fields = { authorization: ['DPoP token'], proofs: [proof], query: '' }
  const request = { ...fields, method: 'GET', target: TARGET }
  const gate = gateWith([], 1)
  await t.rejects(async () => gate.admit({ ...request, method: 'PUT' }), { code: 'proof_method' })
  await t.rejects(async () => gateWith(['admin'], 1).admit(request), { code: 'scope_insufficient' })
  await t.rejects(async () => gateWith([], 0).admit(request), { code: 'replay_store_unavailable' })
  t.equal(boundKeys.recall(token), undefined)
  const { proof: passed } = await gate.admit(request)
  t.ok(passed)
  t.equal(boundKeys.recall(token)?.segment, passed?.header.segment)
})

t.test('a header that is longer than any key is not kept', (t) => {
  const header = { wellFormed: true, typ: 'dpop+jwt', alg: 'ES256', leaksKey: false }
  const key = () => 'unusable' as const
  const boundKeys = createBoundKeys()
  for (const [length, isKept] of [
    [2_100, true],
    [2_101, false],
  ] as const) {
    const token = tokenOf('thumbprint')
    boundKeys.remember(token, { ...header, key, segment: 'x'.repeat(length) })
    t.equal(boundKeys.recall(token) !== undefined, isKept, `${length} characters`)
  }
  t.end()
})
