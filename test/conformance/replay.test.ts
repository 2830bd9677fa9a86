/** Group E: what uses a proof up, for how long, and how many a client may use (RFC 9449 §11.1). */
import t from 'tap'
import { createMemoryReplayStore } from '../../src/dpop/memory-replay-store.ts'
import { createBoundKeys } from '../../src/dpop/bound-key.ts'
import { createGate } from '../../src/gate.ts'
import { createClient } from '../support/client.ts'
import { policyOf } from '../support/policy.ts'
import { createStage, PUBLIC_URL } from '../support/stage.ts'
import { outcome, sendRow } from './table.ts'

const TARGET = `${PUBLIC_URL}/api/orders`
const START = 1_700_000_000

/** A gate whose two clocks, that of the wall and the monotonic one, a test moves. */
async function gateAt(maxAgeSeconds: number, clockSkewSeconds: number) {
  let now = START
  const client = await createClient()
  const token = {
    ...{ issuer: 'https://as.example.com', issuerName: 'main', subject: 'alice', clientId: 'app' },
    ...{ scopes: [], thumbprint: client.thumbprint, expiresAt: Infinity, claims: {} },
  }
  const algorithms = new Set(['ES256'])
  const gate = createGate(
    policyOf({ algorithms, maxAgeSeconds, clockSkewSeconds, maxBytes: 8192 }),
    {
      verifyToken: () => Promise.resolve(token),
      replays: createMemoryReplayStore({ maxEntries: 100, monotonic: () => now }),
      boundKeys: createBoundKeys(),
      clock: () => Math.floor(now),
    },
  )
  const sign = (iat: number) => client.proof({ url: TARGET, token: 'token', claims: { iat } })
  return {
    sign,
    /** `admitted`, or the code of the refusal. */
    admit: async (proof: string, at: number): Promise<unknown> => {
      now = at
      const fields = { authorization: ['DPoP token'], proofs: [proof], query: '' }
      try {
        await gate.admit({ ...fields, method: 'GET', target: TARGET })
        return 'admitted'
      } catch (error) {
        return error instanceof Error && 'code' in error ? error.code : error
      }
    },
  }
}

t.test('#177 a proof is remembered for as long as it could be accepted', async (t) => {
  for (const [maxAge, skew] of [
    [60, 30],
    [60, 0],
    [1, 0],
    [5, 3600],
  ] as const) {
    for (const ahead of [skew, skew / 2, 0, -maxAge]) {
      for (const fraction of [0, 0.001, 0.999]) {
        const { admit, sign } = await gateAt(maxAge, skew)
        const iat = START + ahead
        const proof = await sign(iat)
        const name = `maxAge ${maxAge}, skew ${skew}, iat ${ahead} ahead, at .${fraction * 1000}`
        t.equal(await admit(proof, START + fraction), 'admitted', name)
        const last = Math.floor(iat) + maxAge
        for (const at of [START + 0.9995, last - 0.5, last, last + 0.999].filter(
          (it) => it > START,
        )) {
          t.equal(await admit(proof, at), 'proof_replayed', `${name}: at ${at - START}`)
        }
        t.equal(await admit(proof, last + 1), 'proof_expired', name)
      }
    }
  }
})

t.test('#177 end to end, with the clock of the machine for the store', async (t) => {
  let now = Math.floor(Date.now() / 1000)
  const stage = await createStage(t, { clock: () => now })
  const token = await stage.mint({ exp: now + 3600 })
  const proof = await stage.client.proof({ url: TARGET, token, claims: { iat: now + 30 } })
  const row = { token, edit: () => proof }
  t.equal(outcome(await sendRow(stage, row)), '200')
  now += 61
  t.equal(outcome(await sendRow(stage, row)), '401 proof_replayed', 'at now + maxAge + 1')
  now += 29
  t.equal(outcome(await sendRow(stage, row)), '401 proof_replayed', 'at its very end')
  now += 1
  t.equal(outcome(await sendRow(stage, row)), '401 proof_expired')
})

t.test('#179 what fails after the claim has used the proof up', async (t) => {
  const stage = await createStage(t)
  const token = await stage.mint()
  const proof = await stage.client.proof({ url: TARGET, token })
  stage.upstream.behave('reset')
  t.equal(outcome(await sendRow(stage, { token, edit: () => proof })), '502 upstream_unreachable')
  stage.upstream.behave('echo')
  t.equal(outcome(await sendRow(stage, { token, edit: () => proof })), '401 proof_replayed')
})

t.test('#179 #180 what fails before the claim has not', async (t) => {
  const routes = ({ url }: { readonly url: string }) =>
    `- { name: api, path: /api/*, upstream: ${url}, scopes: [read] }`
  const stage = await createStage(t, { routes })
  const attacker = await createClient()
  const jti = { claims: { jti: 'one' } }
  const attempts = [
    ['scope', { claims: { scope: 'other' }, proof: jti }, '403 scope_insufficient'],
    ['ath', { proof: { claims: { jti: 'one', ath: 'x' } } }, '401 proof_token_hash'],
    ['htm', { proof: { claims: { jti: 'one', htm: 'PUT' } } }, '401 proof_method'],
    ['signature', { proof: { ...jti, signer: attacker } }, '401 proof_signature'],
    [
      'another key',
      { client: attacker, claims: bound(stage.client), proof: jti },
      '401 token_key_mismatch',
    ],
    ['expired token', { claims: { exp: 1 }, proof: jti }, '401 token_expired'],
  ] as const
  for (const [name, row, answer] of attempts) {
    t.equal(outcome(await sendRow(stage, row)), answer, name)
  }
  t.equal(outcome(await sendRow(stage, { proof: jti })), '200')
  t.equal(outcome(await sendRow(stage, { proof: jti })), '401 proof_replayed')
})

const bound = ({ thumbprint }: { readonly thumbprint: string }) => ({ cnf: { jkt: thumbprint } })

t.test('#178 of copies sent at once exactly one passes', async (t) => {
  const stage = await createStage(t)
  const token = await stage.mint()
  const proof = await stage.client.proof({ url: TARGET, token })
  const copies = Array.from({ length: 32 }, () => sendRow(stage, { token, edit: () => proof }))
  const outcomes = (await Promise.all(copies)).map(outcome)
  t.strictSame(outcomes.filter((it) => it === '200').length, 1)
  t.strictSame(outcomes.filter((it) => it === '401 proof_replayed').length, 31)
  t.equal(stage.upstream.requests.length, 1)
})

t.test('#184 a client that floods is refused, and nobody else', async (t) => {
  const stage = await createStage(t, { settings: 'replay: { maxEntriesPerKey: 5 }' })
  const token = await stage.mint()
  const proof = await stage.client.proof({ url: TARGET, token })
  t.equal(outcome(await sendRow(stage, { token, edit: () => proof })), '200')
  for (let count = 0; count < 4; count++) t.equal(outcome(await sendRow(stage, {})), '200')
  t.equal(outcome(await sendRow(stage, {})), '503 overloaded')
  const refused = await sendRow(stage, {})
  t.match(refused.values('retry-after'), [/^[1-5]$/])
  t.strictSame(refused.values('www-authenticate'), [])
  t.equal(outcome(await sendRow(stage, { client: await createClient() })), '200')
})

t.test('#181 a store that is full refuses, and forgets nothing', async (t) => {
  const stage = await createStage(t, { settings: 'replay: { maxEntries: 1 }' })
  const token = await stage.mint()
  const proof = await stage.client.proof({ url: TARGET, token })
  t.equal(outcome(await sendRow(stage, { token, edit: () => proof })), '200')
  t.equal(outcome(await sendRow(stage, {})), '503 replay_store_unavailable')
  t.equal(outcome(await sendRow(stage, { token, edit: () => proof })), '401 proof_replayed')
})
