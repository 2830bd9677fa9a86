import { createHash } from 'node:crypto'
import t from 'tap'
import { Denial } from '../../src/denial.ts'
import { cacheTokens, type VerifyFresh } from '../../src/token/cached.ts'
import { readAccessToken } from '../../src/token/claims.ts'
import { createJwtVerifier } from '../../src/token/jwt.ts'
import { AUDIENCE, createAuthority } from '../support/jwks-server.ts'
import { ALL, keySetOf } from '../issuer/key-set.ts'
import { wallClock } from './verifier.ts'

const NOW = 1_700_000_000
const RULES = { name: 'main', issuer: 'i', audience: 'none', clockSkewSeconds: 0 } as const

/** Takes every token that does not say `bad`, until a minute from NOW. */
function createVerifier() {
  const state = { calls: 0, trusted: true }
  const verify: VerifyFresh = async (token) => {
    state.calls++
    await Promise.resolve()
    if (token.startsWith('bad')) throw new Denial('token_signature')
    const accessToken = readAccessToken({ sub: token }, RULES, NOW + 60, NOW)
    return { accessToken, isTrusted: () => state.trusted }
  }
  return { state, verify }
}

const sha256 = (token: string) => createHash('sha256').update(token).digest('base64url')

t.test('a kept token is the same object and is not verified again', async (t) => {
  const { state, verify } = createVerifier()
  const cached = cacheTokens(verify).verify
  const first = await cached('a', 'hash-a', NOW)
  t.equal(await cached('a', 'hash-a', NOW + 59), first)
  t.not(await cached('b', 'hash-b', NOW), first)
  t.equal(state.calls, 2)
})

t.test('a token is not used past its expiry', async (t) => {
  const { state, verify } = createVerifier()
  const cached = cacheTokens(verify).verify
  await cached('a', 'hash-a', NOW)
  await cached('a', 'hash-a', NOW + 60)
  t.equal(state.calls, 2)
})

t.test('a token is verified again when its verdict no longer stands', async (t) => {
  const { state, verify } = createVerifier()
  const cached = cacheTokens(verify).verify
  const first = await cached('a', 'hash-a', NOW)
  state.trusted = false
  t.not(await cached('a', 'hash-a', NOW), first)
  t.equal(state.calls, 2)
})

t.test('#243 requests with the same new token share its verification', async (t) => {
  const { state, verify } = createVerifier()
  const cached = cacheTokens(verify).verify
  const tokens = await Promise.all(
    Array.from({ length: 100 }, async () => cached('a', 'hash-a', NOW)),
  )
  t.equal(new Set(tokens).size, 1)
  t.equal(state.calls, 1)
})

t.test('refusals are not kept', async (t) => {
  const { state, verify } = createVerifier()
  const cached = cacheTokens(verify).verify
  await t.rejects(async () => cached('bad', 'hash', NOW), { code: 'token_signature' })
  await t.rejects(async () => cached('bad', 'hash', NOW), { code: 'token_signature' })
  t.equal(state.calls, 2)
})

t.test('garbage pushes nothing out and leaves nothing behind', async (t) => {
  const { state, verify } = createVerifier()
  const cached = cacheTokens(verify, { maxEntries: 1 }).verify
  const first = await cached('a', 'hash-a', NOW)
  for (let index = 0; index < 10_000; index++) {
    await Promise.resolve(cached('bad', `hash-${index}`, NOW)).catch(() => undefined)
  }
  t.equal(await cached('a', 'hash-a', NOW), first)
  t.equal(state.calls, 10_001)
})

t.test('the token used longest ago makes room', async (t) => {
  const { state, verify } = createVerifier()
  const cached = cacheTokens(verify, { maxEntries: 2 }).verify
  for (const token of ['a', 'b', 'a', 'c', 'a', 'b']) await cached(token, token, NOW)
  t.equal(state.calls, 4, 'a and c once, b twice')
})

t.test('100,000 clients keep theirs', async (t) => {
  const { state, verify } = createVerifier()
  const cached = cacheTokens(verify).verify
  const tokens = Array.from({ length: 100_000 }, (_, at) => `token ${at}`)
  for (const token of [...tokens, ...tokens]) await cached(token, token, NOW)
  t.equal(state.calls, tokens.length)
})

t.test('of tokens with long claims fewer are kept', async (t) => {
  const long = 'x'.repeat(2 ** 20)
  let calls = 0
  const cached = cacheTokens(async (token) => {
    calls++
    const accessToken = readAccessToken({ sub: token, long }, RULES, NOW + 60, NOW)
    return Promise.resolve({ accessToken, isTrusted: () => true })
  }).verify
  for (let at = 0; at < 128; at++) await cached(`${at}`, `${at}`, NOW)
  await cached('127', '127', NOW)
  t.equal(calls, 128, 'the last is kept')
  await cached('0', '0', NOW)
  t.equal(calls, 129, 'the first has made room')
})

t.test('a key the issuer withdraws takes the tokens signed with it along', async (t) => {
  const authority = await createAuthority(t)
  const keys = keySetOf(t, authority)
  await keys.start()
  const { verify } = cacheTokens(
    createJwtVerifier([
      {
        ...RULES,
        issuer: authority.issuer,
        audience: [AUDIENCE],
        algorithms: ALL,
        tokenType: 'compatible',
        keys,
      },
    ]),
  )
  const token = await authority.mint()
  const ask = async () => verify(token, sha256(token), wallClock())
  const first = await ask()
  t.equal(await ask(), first)

  await keys.start()
  t.equal(await ask(), first, 'a refresh that changes nothing does no harm')

  await authority.rotate()
  await keys.start()
  await t.rejects(ask(), { code: 'token_signature' })
})
