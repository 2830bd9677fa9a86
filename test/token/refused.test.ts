import t from 'tap'
import { Denial, REFUSALS, type DenialCode } from '../../src/denial.ts'
import { cacheTokens, type VerifyFresh } from '../../src/token/cached.ts'
import { readAccessToken } from '../../src/token/claims.ts'
import { rememberRefused } from '../../src/token/refused.ts'
import { createTiming } from '../issuer/manual-timing.ts'

const NOW = 1_700_000_000
const FOR = 5_000
const MAX_ENTRIES = 10_000
const RULES = { name: 'main', issuer: 'i', audience: 'none', clockSkewSeconds: 0 } as const

/** Refuses as it is told, and takes every token while it is not told to. */
function createTokens(forMs = FOR) {
  const timing = createTiming()
  const state: { calls: number; slowMs: number; error: Error | undefined } = {
    calls: 0,
    slowMs: 0,
    error: undefined,
  }
  const verify: VerifyFresh = async (token) => {
    state.calls++
    timing.advance(state.slowMs)
    if (state.error !== undefined) throw state.error
    const accessToken = readAccessToken({ sub: token }, RULES, NOW + 60, NOW)
    return { accessToken, isTrusted: () => true }
  }
  const tokens = rememberRefused(cacheTokens(verify), { forMs, timing })
  const send = async (token = 'a') => tokens.verify(token, `hash-${token}`, NOW)
  const refuse = (code: DenialCode) => {
    state.error = new Denial(code)
  }
  return { state, timing, tokens, send, refuse }
}

t.test('#241 a token that was refused is refused for a while, and then asked about', async (t) => {
  const { state, timing, send, refuse } = createTokens()
  refuse('token_inactive')
  await t.rejects(send(), { code: 'token_inactive' })
  state.error = undefined
  timing.advance(FOR - 1)
  await t.rejects(send(), { code: 'token_inactive' })
  t.equal(state.calls, 1)
  timing.advance(1)
  t.match(await send(), { subject: 'a' })
  t.equal(state.calls, 2)
})

t.test('sending it on and on does not prolong it', async (t) => {
  const { state, timing, send, refuse } = createTokens()
  refuse('token_inactive')
  for (let count = 0; count < 5; count++) {
    await t.rejects(send(), { code: 'token_inactive' })
    timing.advance(FOR / 5)
  }
  state.error = undefined
  t.match(await send(), { subject: 'a' })
})

t.test('the while is counted from before the question', async (t) => {
  const { state, timing, send, refuse } = createTokens()
  refuse('token_inactive')
  state.slowMs = 2_000
  await t.rejects(send(), { code: 'token_inactive' })
  timing.advance(FOR - state.slowMs - 1)
  await t.rejects(send(), { code: 'token_inactive' })
  t.equal(state.calls, 1)
  timing.advance(1)
  await t.rejects(send(), { code: 'token_inactive' })
  t.equal(state.calls, 2)
})

t.test('one token says nothing about another', async (t) => {
  const { state, send, refuse } = createTokens()
  refuse('token_inactive')
  await t.rejects(send('a'), { code: 'token_inactive' })
  state.error = undefined
  t.match(await send('b'), { subject: 'b' })
})

for (const code of Object.keys(REFUSALS) as DenialCode[]) {
  const isVerdict = code.startsWith('token_')
  t.test(`#240 ${code} is ${isVerdict ? '' : 'not '}remembered`, async (t) => {
    const { state, send, refuse } = createTokens()
    refuse(code)
    await t.rejects(send(), { code })
    await t.rejects(send(), { code })
    t.equal(state.calls, isVerdict ? 1 : 2)
  })
}

t.test('a bug is not remembered', async (t) => {
  const { state, send } = createTokens()
  state.error = new TypeError('x is not a function')
  await t.rejects(send(), TypeError)
  await t.rejects(send(), TypeError)
  t.equal(state.calls, 2)
})

t.test('for no time at all', async (t) => {
  const { state, send, refuse } = createTokens(0)
  refuse('token_inactive')
  await t.rejects(send(), { code: 'token_inactive' })
  await t.rejects(send(), { code: 'token_inactive' })
  t.equal(state.calls, 2)
})

t.test('what is kept is recalled', async (t) => {
  const { tokens, send, refuse } = createTokens()
  t.equal(tokens.recall('hash-a', NOW), undefined)
  const kept = await send()
  t.equal(tokens.recall('hash-a', NOW), kept)
  refuse('token_inactive')
  await t.rejects(send('b'), { code: 'token_inactive' })
  t.equal(tokens.recall('hash-b', NOW), undefined)
  t.equal(await send(), kept)
})

t.test('#243 requests with one bad token share the question', async (t) => {
  const { state, send, refuse } = createTokens()
  refuse('token_inactive')
  const all = await Promise.allSettled(Array.from({ length: 100 }, () => send()))
  t.match(all, Array(100).fill({ status: 'rejected', reason: { code: 'token_inactive' } }))
  t.equal(state.calls, 1)
})

t.test('#241 bounded: a flood of made-up tokens pushes out its own', async (t) => {
  const { state, tokens, send, refuse } = createTokens()
  const kept = await send('good')
  refuse('token_inactive')
  /** How many questions these tokens cost. */
  const flood = async (from: number, to: number) => {
    const before = state.calls
    for (let at = from; at < to; at++) await send(`x${at}`).catch(() => undefined)
    return state.calls - before
  }
  t.equal(await flood(0, MAX_ENTRIES), MAX_ENTRIES)
  t.equal(await flood(0, MAX_ENTRIES), 0, 'as many as are remembered')
  t.equal(await flood(MAX_ENTRIES, MAX_ENTRIES + 1), 1, 'one more')
  t.equal(await flood(1, MAX_ENTRIES), 0, 'all but the oldest')
  t.equal(await flood(0, 1), 1, 'which has made room')
  t.equal(tokens.recall('hash-good', NOW), kept)
})
