/** RFC 9449 §5: `access: proof`, in front of a token endpoint, whose clients have no token yet. */
import { createHash } from 'node:crypto'
import t, { type Test } from 'tap'
import { exportJWK } from 'jose'
import { REFUSALS, type DenialCode } from '../../src/denial.ts'
import { createClient, type ProofOptions } from '../support/client.ts'
import { readMetrics } from '../support/metrics.ts'
import type { Header } from '../support/raw-http.ts'
import { startRawUpstream } from '../support/raw-upstream.ts'
import { createStage, PUBLIC_URL, type Answer, type StageOptions } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { outcome } from './table.ts'

const URL = `${PUBLIC_URL}/token`
const BODY = 'grant_type=client_credentials'
const BASIC = `Basic ${Buffer.from('app:s%3Acret').toString('base64')}`
const CLIENT: readonly Header[] = [
  ['Authorization', BASIC],
  ['Content-Type', 'application/x-www-form-urlencoded'],
]

async function createTokenStage(t: Test, options: StageOptions & { readonly more?: string } = {}) {
  const routes: StageOptions['routes'] = ({ url }) =>
    `- { name: token, path: /token, upstream: ${url}, access: proof${options.more ?? ''} }`
  const stage = await createStage(t, { routes, ...options })
  const prove = (proof: Partial<ProofOptions> = {}) =>
    stage.client.proof({ method: 'POST', url: URL, ...proof })
  const post = (...proofs: readonly string[]) =>
    stage.send({
      method: 'POST',
      path: '/token',
      credentials: [...CLIENT, ...proofs.map((it): Header => ['DPoP', it])],
      body: BODY,
    })
  return { ...stage, prove, post }
}

/** RFC 9449 §5, RFC 6749 §5.2: 400 with an error in the body, and no challenge. */
function assertTokenError(t: Test, answer: Answer, code: DenialCode, error: string): void {
  t.equal(outcome(answer), `400 ${code}`)
  t.strictSame(answer.values('www-authenticate'), [], code)
  t.strictSame(answer.values('cache-control'), ['no-store'], code)
  const { requestId, ...body } = JSON.parse(answer.body) as Record<string, unknown>
  t.match(requestId, /^[\da-f-]{36}$/)
  t.strictSame(body, { error, error_description: REFUSALS[code].description, code })
}

t.test('a valid proof passes, and all goes on as it came', async (t) => {
  const { post, prove, client, upstream, adminPort, log } = await createTokenStage(t)
  const proof = await prove()
  t.equal((await post(proof)).status, 200)
  const received = upstream.requests[0]
  t.match(received, { method: 'POST', url: '/token', body: BODY })
  t.strictSame(received?.values('dpop'), [proof], 'one line')
  t.strictSame(received?.values('authorization'), [BASIC])
  t.strictSame(received?.values('x-auth-thumbprint'), [client.thumbprint])
  for (const name of ['subject', 'client', 'scope', 'issuer']) {
    t.strictSame(received?.values(`x-auth-${name}`), [], name)
  }
  const series = 'dpop_admitted_total{route="token",scheme="proof"}'
  await until(async () => (await readMetrics(adminPort)).get(series) === 1)
  const line = log().find(({ msg }) => msg === 'request')
  t.match(line, { status: 200, route: 'token', thumbprint: client.thumbprint })
})

t.test('identity.token changes nothing: who asks is for the token endpoint', async (t) => {
  for (const mode of ['drop', 'keep', 'bearer']) {
    const more = `, identity: { token: ${mode} }`
    const { send, post, prove, upstream } = await createTokenStage(t, { more })
    t.equal((await post(await prove())).status, 200)
    t.strictSame(upstream.requests[0]?.values('authorization'), [BASIC], mode)
    const twice: readonly Header[] = [...CLIENT, ['Authorization', 'Bearer x']]
    const credentials: readonly Header[] = [...twice, ['DPoP', await prove()]]
    t.equal((await send({ method: 'POST', path: '/token', credentials })).status, 400)
    const token: Header = ['Authorization', 'DPoP x']
    const unproven = [token, ['DPoP', await prove()]] as const
    t.equal((await send({ method: 'POST', path: '/token', credentials: unproven })).status, 200)
    t.strictSame(upstream.requests[1]?.values('authorization'), [], `${mode}: nobody proved it`)
  }
})

t.test('identity fields of the client are dropped', async (t) => {
  const { send, prove, client, upstream } = await createTokenStage(t)
  const spoofed = ['X-Auth-Thumbprint', 'X-Auth-Subject', 'X_Auth_Thumbprint'].map(
    (name): Header => [name, 'root'],
  )
  const credentials: readonly Header[] = [...spoofed, ['DPoP', await prove({ method: 'GET' })]]
  t.equal((await send({ path: '/token', credentials })).status, 200)
  t.strictSame(upstream.requests[0]?.values('x-auth-thumbprint'), [client.thumbprint])
  t.strictSame(upstream.requests[0]?.values('x-auth-subject'), [])
  t.strictSame(upstream.requests[0]?.values('x_auth_thumbprint'), [])
})

t.test('#4 without a proof', async (t) => {
  const { post, upstream } = await createTokenStage(t)
  assertTokenError(t, await post(), 'proof_missing', 'invalid_request')
  t.strictSame(upstream.requests, [])
})

const iat = (seconds: number) => ({ claims: { iat: Math.floor(Date.now() / 1000) + seconds } })

t.test('§4.3 what is wrong with a proof is 400 invalid_dpop_proof', async (t) => {
  const { post, prove, client, upstream } = await createTokenStage(t)
  const other = await createClient()
  const weak = { kty: 'RSA', n: Buffer.alloc(128, 255).toString('base64url'), e: 'AQAB' }
  const ath = createHash('sha256').update('token').digest('base64url')
  const jwk = await exportJWK(client.privateKey)
  // prettier-ignore
  const rows: readonly (readonly [code: DenialCode, proof: Partial<ProofOptions>])[] = [
    ['proof_type', { header: { typ: 'JWT' } }],
    ['proof_algorithm', { header: { alg: 'HS256' } }],
    ['proof_key', { header: { jwk: {} } }],
    ['proof_key_private', { header: { jwk } }],
    ['proof_key_weak', { header: { alg: 'RS256', jwk: weak } }],
    ['proof_claim_missing', { omit: ['jti'] }],
    ['proof_claim_missing', { claims: { ath: '' } }],
    ['proof_method', { method: 'GET' }],
    ['proof_target', { url: `${PUBLIC_URL}/other` }],
    ['proof_expired', iat(-100)],
    ['proof_premature', iat(100)],
    ['proof_token_hash', { token: 'token' }],
    ['proof_token_hash', { claims: { ath } }],
    ['proof_signature', { signer: other }],
  ]
  for (const [code, proof] of rows) {
    assertTokenError(t, await post(await prove(proof)), code, 'invalid_dpop_proof')
  }
  const long = 'x'.repeat(8193)
  const two = [await prove(), await prove()]
  assertTokenError(t, await post(...two), 'proof_multiple', 'invalid_dpop_proof')
  assertTokenError(t, await post('x'), 'proof_malformed', 'invalid_dpop_proof')
  assertTokenError(t, await post(long), 'proof_too_large', 'invalid_dpop_proof')
  t.strictSame(upstream.requests, [])
})

t.test('#173 a proof passes once', async (t) => {
  const { post, prove, upstream } = await createTokenStage(t)
  const proof = await prove()
  const answers = await Promise.all([1, 2, 3].map(() => post(proof)))
  const refused = answers.filter(({ status }) => status !== 200)
  t.equal(refused.length, 2)
  for (const answer of refused) {
    assertTokenError(t, answer, 'proof_replayed', 'invalid_dpop_proof')
  }
  t.equal(upstream.requests.length, 1)
})

t.test('#181 an outage is no fault of the client', async (t) => {
  const { post, prove } = await createTokenStage(t, { settings: 'replay: { maxEntries: 1 }' })
  t.equal((await post(await prove())).status, 200)
  t.equal(outcome(await post(await prove())), '503 replay_store_unavailable')
})

t.test('§8 with nonces of the gateway', async (t) => {
  const more = ', dpop: { nonce: required }'
  const { post, prove, upstream } = await createTokenStage(t, { more })
  const asked = await post(await prove())
  assertTokenError(t, asked, 'proof_nonce', 'use_dpop_nonce')
  const [nonce, ...others] = asked.values('dpop-nonce')
  t.match(nonce, /^[\w-]+$/)
  t.strictSame(others, [], 'one line')
  t.strictSame(upstream.requests, [])
  const proof = await prove({ claims: { nonce } })
  t.equal((await post(proof)).status, 200)
  t.strictSame(upstream.requests[0]?.values('dpop'), [proof])
  assertTokenError(t, await post(proof), 'proof_replayed', 'invalid_dpop_proof')
  const wrong = await prove({ claims: { nonce: 'wrong' } })
  assertTokenError(t, await post(wrong), 'proof_nonce', 'use_dpop_nonce')
})

t.test(
  '#251 a nonce of the token endpoint reaches the client, unless the gateway has its own',
  async (t) => {
    const body = '{"error":"use_dpop_nonce"}'
    const upstream = await startRawUpstream(t, (socket) => {
      const fields = `DPoP-Nonce: theirs\r\nContent-Length: ${body.length}`
      socket.write(`HTTP/1.1 400 Bad Request\r\n${fields}\r\n\r\n${body}`)
    })
    const routes = () => `\
- { name: token, path: /token, upstream: ${upstream.url}, access: proof }
- { name: own, path: /own, upstream: ${upstream.url}, access: proof, dpop: { nonce: required } }`
    const { send, client } = await createTokenStage(t, { routes })
    const nonceOf = async (path: string, claims = {}) => {
      const proof = await client.proof({ url: PUBLIC_URL + path, claims })
      const answer = await send({ path, credentials: [['DPoP', proof]] })
      t.equal(answer.status, 400)
      return answer.values('dpop-nonce')
    }
    t.strictSame(await nonceOf('/token'), ['theirs'])
    const [nonce] = await nonceOf('/own')
    t.not(nonce, 'theirs')
    t.strictSame(await nonceOf('/own', { nonce }), [], 'the one it has is still good')
  },
)
