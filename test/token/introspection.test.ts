import t, { type Test } from 'tap'
import { createIntrospection } from '../../src/issuer/introspection.ts'
import {
  createIntrospectionVerifier,
  type IntrospectionRules,
} from '../../src/token/introspection.ts'
import { AUDIENCE, createAuthority, THUMBPRINT, type Overrides } from '../support/jwks-server.ts'
import { createTiming } from '../issuer/manual-timing.ts'

const NOW = 1_700_000_000
const SKEW = 30
const CACHE_FOR = 10_000

interface Options extends Partial<IntrospectionRules> {
  /** How much of the injected time a question takes. */
  readonly slowMs?: number
}

/** Verifies tokens that a real endpoint is asked about, at a time the test moves on. */
async function stageOf(t: Test, { slowMs = 0, ...rules }: Options = {}) {
  const authority = await createAuthority(t, { client: { method: 'none' } })
  const timing = createTiming()
  const introspection = createIntrospection({
    url: () => authority.introspectionUri,
    authentication: {
      async apply() {
        timing.advance(slowMs)
        return {}
      },
    },
    signed: undefined,
    allowHttp: false,
    timeoutMs: 5_000,
    report: () => undefined,
    measure: () => undefined,
  })
  t.teardown(introspection.close)
  const events: { readonly level: string; readonly message: string }[] = []
  const verify = createIntrospectionVerifier({
    name: 'main',
    issuer: authority.issuer,
    audience: [AUDIENCE],
    clockSkewSeconds: SKEW,
    tokenType: 'compatible',
    introspection,
    cacheForMs: CACHE_FOR,
    report: (event) => void events.push(event),
    timing,
    ...rules,
  })
  /** Verifies a token that is valid at NOW but for the claims given. */
  const ask = (claims: Overrides = {}, now = NOW) =>
    verify(authority.introspection.issue({ exp: NOW + 60, ...claims }), now)
  return { ...authority, timing, events, verify, ask }
}

t.test('#234 an active token', async (t) => {
  const { ask, verify, issuer } = await stageOf(t)
  const { accessToken } = await ask()
  t.match(accessToken, {
    issuer,
    issuerName: 'main',
    subject: 'alice',
    clientId: 'app',
    scopes: ['read', 'write'],
    thumbprint: THUMBPRINT,
    expiresAt: NOW + 60 + SKEW,
    claims: { active: true, aud: AUDIENCE },
  })
  await t.rejects(verify('unknown', NOW), { code: 'token_inactive' })
})

t.test('#239 exp and the clock skew', async (t) => {
  const { ask } = await stageOf(t)
  const exp = NOW + 60
  for (const [now, isTrusted] of [
    [exp - 1, true],
    [exp, false],
    [exp + SKEW - 1, false],
  ] as const) {
    const verified = await ask({ exp }, now)
    t.equal(verified.accessToken.expiresAt, exp + SKEW)
    t.equal(verified.isTrusted(now), isTrusted, `${now - exp} s from exp`)
  }
  await t.rejects(ask({ exp }, exp + SKEW), { code: 'token_expired' })
})

t.test(
  '#241 beyond exp the issuer is asked again, however long an answer is good for',
  async (t) => {
    const { ask } = await stageOf(t, { cacheForMs: 3_600_000 })
    const { isTrusted } = await ask({ exp: NOW + 60 })
    t.equal(isTrusted(NOW + 59), true)
    t.equal(isTrusted(NOW + 60), false)
  },
)

t.test('#239 exp absent: it lasts for as long as an answer does', async (t) => {
  const { ask, timing } = await stageOf(t)
  for (const exp of [undefined, null]) {
    const { accessToken, isTrusted } = await ask({ exp })
    t.equal(accessToken.expiresAt, Infinity)
    timing.advance(CACHE_FOR - 1)
    t.equal(isTrusted(NOW + 1e9), true)
    timing.advance(1)
    t.equal(isTrusted(NOW), false)
  }
})

t.test('#241 cacheFor is counted from before the question', async (t) => {
  const { ask, timing } = await stageOf(t, { slowMs: 3_000 })
  const { isTrusted } = await ask()
  timing.advance(CACHE_FOR - 3_000 - 1)
  t.equal(isTrusted(NOW), true)
  timing.advance(1)
  t.equal(isTrusted(NOW), false)
})

t.test('#241 cacheFor 0s: good for this request alone', async (t) => {
  const { ask } = await stageOf(t, { cacheForMs: 0 })
  t.equal((await ask()).isTrusted(NOW), false)
})

t.test('#244 iss', async (t) => {
  const { ask, issuer } = await stageOf(t)
  for (const iss of [issuer, undefined, null]) {
    t.equal((await ask({ iss })).accessToken.issuer, issuer, `iss ${String(iss)}`)
  }
  for (const iss of ['', `${issuer}/`, [issuer], 7, false]) {
    await t.rejects(ask({ iss }), { code: 'token_issuer' }, `iss ${JSON.stringify(iss)}`)
  }
})

t.test('#235 claims that make no sense are the fault of the issuer', async (t) => {
  const { ask } = await stageOf(t)
  for (const [claims, detail] of [
    [{ exp: String(NOW + 60) }, 'exp is not a number of seconds'],
    [{ exp: {} }, 'exp is not a number of seconds'],
    [{ exp: (NOW + 60) * 1_000 }, 'exp is in milliseconds'],
    [{ iat: 'now' }, 'iat is not a number of seconds'],
    [{ nbf: true }, 'nbf is not a number of seconds'],
  ] as const) {
    const unavailable = { code: 'issuer_unavailable', detail, cause: { code: 'token_malformed' } }
    await t.rejects(ask(claims), unavailable, JSON.stringify(claims))
  }
})

t.test('what is the fault of the token stays so', async (t) => {
  const { ask } = await stageOf(t)
  for (const [claims, code] of [
    [{ active: false }, 'token_inactive'],
    [{ aud: 'other' }, 'token_audience'],
    [{ nbf: NOW + SKEW + 1 }, 'token_premature'],
    [{ exp: NOW - SKEW }, 'token_expired'],
    [{ cnf: {} }, 'token_unbound'],
    [{ token_type: 'refresh_token' }, 'token_type'],
  ] as const) {
    await t.rejects(ask(claims), { code }, JSON.stringify(claims))
  }
  await t.resolves(ask({ nbf: NOW + SKEW }), 'within the clock skew')
  await t.resolves(ask({ exp: NOW - SKEW + 1 }), 'within the clock skew')
})

t.test('an inactive token is not looked at any further', async (t) => {
  const { ask } = await stageOf(t)
  const claims = { active: false, iss: 'https://evil.example', exp: 'x', token_type: 7 }
  await t.rejects(ask(claims), { code: 'token_inactive' })
})

t.test('#240 the issuer does not answer', async (t) => {
  const { ask, introspection } = await stageOf(t)
  introspection.behave(500)
  await t.rejects(ask(), { code: 'issuer_unavailable' })
  introspection.behave('ok')
  await t.resolves(ask())
})

t.test('#236 the type Bearer of a bound token is told once', async (t) => {
  const { ask, events } = await stageOf(t)
  await ask({ token_type: 'DPoP' })
  await ask({ token_type: undefined })
  await ask({ token_type: 'Bearer', cnf: undefined })
  await t.rejects(ask({ token_type: 'Bearer', aud: 'other' }), { code: 'token_audience' })
  t.strictSame(events, [], 'not of a token that is not bound, or not taken')
  const message = 'introspection gives bound tokens the type Bearer'
  await ask({ token_type: 'bearer' })
  t.strictSame(events, [{ level: 'warn', message }])
  await ask({ token_type: 'Bearer' })
  t.equal(events.length, 1)
})
