/** Group H, #241 to #243: what is remembered of introspection, for how long and of what. */
import t from 'tap'
import { createClient } from '../support/client.ts'
import { introspected } from '../support/introspected.ts'
import { createStage } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { outcome, sendRow } from './table.ts'

const briefly = introspected({ introspection: { cacheFor: '300ms' } })

t.test('#241 a revoked token is refused once cacheFor is over', async (t) => {
  const stage = await createStage(t, { issuer: briefly })
  const { introspection } = stage.authority
  const token = stage.issue()
  const send = async () => outcome(await sendRow(stage, { token }))
  t.equal(await send(), '200')
  introspection.revoke(token)
  const since = performance.now()
  await until(async () => (await send()) === '401 token_inactive')
  t.ok(performance.now() - since < 1_000, 'soon')
  t.equal(introspection.requests.length, 2, 'asked again, once')
})

t.test('#241 a positive answer never lasts beyond exp', async (t) => {
  let now = Math.floor(Date.now() / 1000)
  const stage = await createStage(t, { issuer: introspected(), clock: () => now })
  const { requests } = stage.authority.introspection
  const token = stage.issue({ exp: now + 100 })
  const send = async () => outcome(await sendRow(stage, { token, proof: { claims: { iat: now } } }))
  t.equal(await send(), '200')
  now += 99
  t.equal(await send(), '200')
  t.equal(requests.length, 1, 'kept')
  now += 1
  t.equal(await send(), '200', 'within the clock skew')
  t.equal(requests.length, 2, 'if the issuer says so as well')
  now += 30
  t.equal(await send(), '401 token_expired')
})

t.test('#241 a negative answer is kept for a while, and not for longer', async (t) => {
  const stage = await createStage(t, { issuer: briefly })
  const { introspection } = stage.authority
  const { thumbprint: jkt } = stage.client
  const send = async () => outcome(await sendRow(stage, { token: 'unknown' }))
  t.equal(await send(), '401 token_inactive')
  t.equal(await send(), '401 token_inactive')
  t.equal(introspection.requests.length, 1)
  introspection.issue({ cnf: { jkt } }, 'unknown')
  await until(async () => (await send()) === '200')
  t.equal(introspection.requests.length, 2)
})

t.test('#241 made-up tokens push no real one out', async (t) => {
  const stage = await createStage(t, { issuer: introspected() })
  const token = stage.issue()
  await sendRow(stage, { token })
  for (let count = 0; count < 50; count++) await sendRow(stage, { token: `made-up-${count}` })
  const { length } = stage.authority.introspection.requests
  t.equal(outcome(await sendRow(stage, { token })), '200')
  t.equal(stage.authority.introspection.requests.length, length)
})

t.test('#241 cacheFor 0s: asked at every request', async (t) => {
  const stage = await createStage(t, {
    issuer: introspected({ introspection: { cacheFor: '0s' } }),
  })
  const { introspection } = stage.authority
  const token = stage.issue()
  const send = async () => outcome(await sendRow(stage, { token }))
  t.strictSame([await send(), await send()], ['200', '200'])
  introspection.revoke(token)
  t.strictSame([await send(), await send()], ['401 token_inactive', '401 token_inactive'])
  t.equal(introspection.requests.length, 4)
})

t.test('#241 the very token is what is remembered', async (t) => {
  const stage = await createStage(t, { issuer: introspected() })
  const token = stage.issue()
  await sendRow(stage, { token })
  for (const other of [token.toUpperCase(), `${token}=`, token.slice(0, -1), `${token}x`]) {
    t.equal(outcome(await sendRow(stage, { token: other })), '401 token_inactive', other)
  }
})

t.test('#242 the proof is verified at each request all the same', async (t) => {
  const stage = await createStage(t, { issuer: introspected() })
  const token = stage.issue()
  const url = 'https://api.example.com/api/orders'
  const proof = await stage.client.proof({ url, token })
  const send = async (row: Parameters<typeof sendRow>[1]) =>
    outcome(await sendRow(stage, { token, ...row }))
  t.equal(await send({ edit: () => proof }), '200')
  t.equal(await send({ edit: () => proof }), '401 proof_replayed')
  t.equal(await send({ proof: { claims: { htm: 'PUT' } } }), '401 proof_method')
  t.equal(await send({ proof: { claims: { htu: 'https://evil.example/' } } }), '401 proof_target')
  t.equal(await send({ proof: { claims: { iat: 1 } } }), '401 proof_expired')
  t.equal(await send({ proof: { token: 'another' } }), '401 proof_token_hash')
  t.equal(await send({ client: await createClient() }), '401 token_key_mismatch')
  t.equal(await send({ proof: { signer: await createClient() } }), '401 proof_signature')
  const bare = await stage.send({ credentials: [['Authorization', `Bearer ${token}`]] })
  t.equal(outcome(bare), '401 token_bound')
  t.equal(await send({}), '200')
  t.equal(stage.authority.introspection.requests.length, 1)
})

for (const [name, answer] of [
  ['an active', '200'],
  ['an unknown', '401 token_inactive'],
] as const) {
  t.test(`#243 a hundred first uses of ${name} token are one question`, async (t) => {
    const stage = await createStage(t, { issuer: introspected() })
    const token = answer === '200' ? stage.issue() : 'unknown'
    const answers = await Promise.all(Array.from({ length: 100 }, () => sendRow(stage, { token })))
    t.strictSame([...new Set(answers.map(outcome))], [answer])
    t.equal(stage.authority.introspection.requests.length, 1)
  })
}
