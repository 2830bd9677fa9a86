/** Group H: what the answer of an introspection endpoint means for a request (RFC 7662). */
import t from 'tap'
import { createClient } from '../support/client.ts'
import { introspected } from '../support/introspected.ts'
import { AUDIENCE } from '../support/jwks-server.ts'
import { createStage } from '../support/stage.ts'
import { answerTable, outcome, sendRow, type Row } from './table.ts'

const seconds = () => Math.floor(Date.now() / 1000)

t.test('#202, #212, #233 to #239, #244, #247 answers', async (t) => {
  const stage = await createStage(t, { issuer: introspected() })
  const { issuer } = stage.authority
  const { thumbprint: jkt } = stage.client
  const other = await createClient()
  const answers: readonly (readonly [name: string, claims: object, answer: string])[] = [
    ['#202 #234 opaque token', {}, '200'],
    ['#212 typ of a refresh token', { typ: 'Refresh' }, '401 token_type'],
    ['#212 typ of an ID token', { typ: 'ID' }, '401 token_type'],
    ['#212 token_use of a refresh token', { token_use: 'refresh_token' }, '401 token_type'],
    ['#212 token_use of an access token', { token_use: 'access_token' }, '200'],
    ['#212 token_type refresh_token', { token_type: 'refresh_token' }, '401 token_type'],
    ['#212 token_type access_token', { token_type: 'access_token' }, '200'],
    ['#212 token_type N_A', { token_type: 'N_A' }, '401 token_type'],
    ['#212 token_type empty', { token_type: '' }, '401 token_type'],
    ['#212 token_type an array', { token_type: ['DPoP'] }, '401 token_type'],
    ['#233 inactive', { active: false }, '401 token_inactive'],
    ['#234 of another key', { cnf: { jkt: other.thumbprint } }, '401 token_key_mismatch'],
    ['#236 token_type Bearer', { token_type: 'Bearer' }, '200'],
    ['#236 token_type dpop', { token_type: 'dpop' }, '200'],
    ['#236 token_type absent', { token_type: undefined }, '200'],
    ['#236 token_type null', { token_type: null }, '200'],
    ['#237 DPoP without cnf', { cnf: undefined }, '401 token_unbound'],
    ['#237 DPoP, cnf null', { cnf: null }, '401 token_unbound'],
    ['#237 DPoP, cnf empty', { cnf: {} }, '401 token_unbound'],
    ['#237 DPoP, cnf a text', { cnf: jkt }, '401 token_unbound'],
    ['#237 DPoP, jkt a number', { cnf: { jkt: 1 } }, '401 token_unbound'],
    ['#237 DPoP, jkt beside cnf', { cnf: {}, jkt }, '401 token_unbound'],
    ['#237 bound to a certificate as well', { cnf: { jkt, 'x5t#S256': jkt } }, '401 token_unbound'],
    ['#237 other members of cnf', { cnf: { jkt, 'kc-jkt-type': 'x' } }, '200'],
    ['#238 nbf in milliseconds', { nbf: Date.now() }, '200'],
    ['#238 nbf later, in milliseconds', { nbf: Date.now() + 60_000 }, '401 token_premature'],
    ['#238 nbf later', { nbf: seconds() + 60 }, '401 token_premature'],
    ['#238 null members', { nbf: null, jti: null, username: null, scope: null }, '200'],
    ['#239 exp past', { exp: seconds() - 60 }, '401 token_expired'],
    ['#239 exp past, within the clock skew', { exp: seconds() - 10 }, '200'],
    ['#239 exp absent, as RFC 7662 allows', { exp: undefined }, '200'],
    ['#239 exp a text', { exp: String(seconds() + 60) }, '503 issuer_unavailable'],
    ['#239 exp in milliseconds', { exp: Date.now() + 60_000 }, '503 issuer_unavailable'],
    ['#239 iat a text', { iat: 'now' }, '503 issuer_unavailable'],
    ['#244 iss other', { iss: 'https://evil.example' }, '401 token_issuer'],
    ['#244 iss with a slash', { iss: `${issuer}/` }, '401 token_issuer'],
    ['#244 iss an array', { iss: [issuer] }, '401 token_issuer'],
    ['#244 iss absent: it is the one asked', { iss: undefined }, '200'],
    ['#235 60 KiB', { padding: 'x'.repeat(60 * 1024) }, '200'],
    ['#235 65 KiB', { padding: 'x'.repeat(65 * 1024) }, '503 issuer_unavailable'],
    ['#247 aud absent', { aud: undefined }, '401 token_audience'],
    ['#247 aud the client', { aud: 'app' }, '401 token_audience'],
    ['#247 aud an empty array', { aud: [] }, '401 token_audience'],
    ['#247 aud one of several', { aud: ['app', AUDIENCE] }, '200'],
  ]
  answerTable(
    t,
    stage,
    answers.map(([name, claims, answer]): Row => {
      return { name, token: stage.issue({ ...claims }), answer }
    }),
  )
  const signs = stage.authority.introspection.issue({ cnf: { jkt } }, 'a+b/c-._~d==')
  answerTable(t, stage, [
    { name: '#202 all signs a token may have', token: signs, answer: '200' },
    { name: '#233 the same, decoded', token: 'a+b/c', answer: '401 token_inactive' },
    { name: '#233 unknown', token: 'unknown', answer: '401 token_inactive' },
    { name: '#233 a JWT of nobody', token: await strange(), answer: '401 token_inactive' },
    { name: 'a JWT of the issuer needs no answer', answer: '200' },
    {
      name: '#202 ath',
      token: stage.issue(),
      proof: { omit: ['ath'] },
      answer: '401 proof_claim_missing',
    },
    {
      name: '#202 ath of another',
      token: stage.issue(),
      proof: { token: 'x' },
      answer: '401 proof_token_hash',
    },
  ])
})

/** A JWT that no configured issuer has signed: to the gateway it is as opaque as any. */
async function strange(): Promise<string> {
  const client = await createClient()
  return client.proof({
    url: 'https://elsewhere.example',
    claims: { iss: 'https://elsewhere.example' },
  })
}

t.test('#235 answers that make no sense', async (t) => {
  const stage = await createStage(t, { issuer: introspected() })
  const { thumbprint: jkt } = stage.client
  for (const active of ['true', 1, null, undefined, {}, [], 'yes']) {
    const answer = await sendRow(stage, { token: stage.issue({ active }) })
    t.equal(outcome(answer), '503 issuer_unavailable', `active ${JSON.stringify(active)}`)
    t.strictSame(answer.values('www-authenticate'), [])
    // One that makes sense keeps the breaker closed.
    t.equal(outcome(await sendRow(stage, { token: stage.issue() })), '200')
  }
  t.equal(stage.authority.introspection.requests.length, 14, 'asked each time, and once')
  const empty = stage.authority.introspection.answer({ cnf: { jkt } })
  t.equal(outcome(await sendRow(stage, { token: empty })), '503 issuer_unavailable')
})

t.test('#234 the example of RFC 9449 §6.2', async (t) => {
  const stage = await createStage(t, { issuer: introspected({ audience: 'none' }) })
  const token = stage.authority.introspection.answer({
    active: true,
    sub: 'someone@example.com',
    iss: stage.authority.issuer,
    nbf: 1562262611,
    exp: seconds() + 60,
    cnf: { jkt: stage.client.thumbprint },
  })
  t.equal(outcome(await sendRow(stage, { token })), '200')
  const received = stage.upstream.requests.at(-1)
  t.strictSame(received?.values('x-auth-subject'), ['someone@example.com'])
  t.strictSame(received?.values('x-auth-thumbprint'), [stage.client.thumbprint])
  t.strictSame(received?.values('x-auth-scope'), [])
  t.strictSame(received?.values('authorization'), [])
})

t.test('#236 the type Bearer of a bound token is told once', async (t) => {
  const stage = await createStage(t, { issuer: introspected() })
  for (let count = 0; count < 3; count++) {
    await sendRow(stage, { token: stage.issue({ token_type: 'Bearer' }) })
  }
  const warnings = stage.log().filter(({ msg }) => /type Bearer/.test(String(msg)))
  t.match(warnings, [{ level: 40, issuer: 'main' }])
  t.equal(warnings.length, 1)
})

t.test('#212 strict needs token_type', async (t) => {
  const stage = await createStage(t, { issuer: introspected({ tokenType: 'strict' }) })
  const row = (name: string, token_type: unknown, answer: string): Row => {
    return { name, token: stage.issue({ token_type }), answer }
  }
  answerTable(t, stage, [
    row('#212 DPoP', 'DPoP', '200'),
    row('#212 Bearer', 'Bearer', '200'),
    row('#212 absent', undefined, '401 token_type'),
    row('#212 null', null, '401 token_type'),
    row('#212 refresh_token', 'refresh_token', '401 token_type'),
    row('#212 access_token', 'access_token', '401 token_type'),
  ])
})

t.test('#247 audience: none', async (t) => {
  const stage = await createStage(t, { issuer: introspected({ audience: 'none' }) })
  answerTable(t, stage, [
    { name: '#247 aud absent', token: stage.issue({ aud: undefined }), answer: '200' },
    { name: '#247 aud the client', token: stage.issue({ aud: 'app' }), answer: '200' },
  ])
})

t.test('always: a JWT is introspected as well', async (t) => {
  const stage = await createStage(t, { issuer: introspected({ introspection: { always: true } }) })
  const { introspection } = stage.authority
  const jwt = await stage.mint()
  answerTable(t, stage, [
    {
      name: 'active',
      token: stage.authority.introspection.issue({ cnf: { jkt: stage.client.thumbprint } }, jwt),
      answer: '200',
    },
    { name: 'signed, and revoked', token: await stage.mint(), answer: '401 token_inactive' },
    { name: 'opaque', token: stage.issue(), answer: '200' },
  ])
  t.test('each is asked about', async (t) => {
    t.equal(introspection.requests.length, 3)
  })
})
