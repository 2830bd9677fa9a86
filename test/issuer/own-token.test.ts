import t, { type Test } from 'tap'
import { createSecretBasic } from '../../src/issuer/client-authentication.ts'
import { createBearer, createOwnToken, type OwnTokenOptions } from '../../src/issuer/own-token.ts'
import { createAuthority } from '../support/jwks-server.ts'
import { startRawUpstream } from '../support/raw-upstream.ts'
import { createTiming } from './manual-timing.ts'

const SECOND = 1_000
const YEAR = 365 * 24 * 60 * 60 * SECOND
/** A token that was refused within this time was not refused for its age. */
const NEW = 5 * SECOND

const BOUNDS = { allowHttp: false, timeoutMs: 5_000, maxBytes: 64 * 1024 }
const authentication = createSecretBasic({ clientId: 'gateway', clientSecret: 's3cret' })

/** A token of its own from a real token endpoint, at a time the test moves on. */
async function stageOf(t: Test, options: Partial<OwnTokenOptions> = {}) {
  const { tokenEndpoint, tokenUri } = await createAuthority(t)
  const timing = createTiming()
  const own = createOwnToken({
    tokenEndpoint: async () => tokenUri,
    authentication,
    scope: undefined,
    bounds: BOUNDS,
    timing,
    ...options,
  })
  const asked = () => tokenEndpoint.requests.length
  return { own, timing, endpoint: tokenEndpoint, url: tokenUri, asked }
}

t.test('what the token endpoint is asked', async (t) => {
  for (const [scope, form] of [
    [undefined, 'grant_type=client_credentials'],
    ['introspect all', 'grant_type=client_credentials&scope=introspect+all'],
  ] as const) {
    const { own, endpoint } = await stageOf(t, { scope })
    await own.get()
    const [request] = endpoint.requests
    t.equal(request?.form.toString(), form)
    t.match(request, {
      method: 'POST',
      headers: { accept: 'application/json', authorization: 'Basic Z2F0ZXdheTpzM2NyZXQ=' },
    })
  }
})

t.test('one request for many at once, and for those that come later', async (t) => {
  const { own, asked } = await stageOf(t)
  const tokens = await Promise.all(Array.from({ length: 100 }, () => own.get()))
  t.equal(new Set([...tokens, await own.get()]).size, 1)
  t.match(tokens[0], /^gateway-/)
  t.equal(asked(), 1)
})

for (const [lifetime, seconds] of [
  [3_600, 3_570],
  [300, 270],
  [100, 90],
  [10, 9],
] as const) {
  t.test(`a token for ${lifetime} s is renewed after ${seconds} s`, async (t) => {
    const { own, timing, endpoint, asked } = await stageOf(t)
    endpoint.setLifetime(lifetime)
    const first = await own.get()
    timing.advance(seconds * SECOND - 1)
    t.equal(await own.get(), first)
    t.equal(asked(), 1)
    timing.advance(1)
    const renewed = await Promise.all(Array.from({ length: 10 }, () => own.get()))
    t.equal(new Set([first, ...renewed]).size, 2)
    t.equal(asked(), 2, 'one request for many')
  })
}

t.test('without expires_in it serves until it is refused', async (t) => {
  const { own, timing, endpoint, asked } = await stageOf(t)
  endpoint.setLifetime(undefined)
  const first = await own.get()
  timing.advance(10 * YEAR)
  t.equal(await own.get(), first)
  t.equal(own.renew(first), true)
  t.not(await own.get(), first)
  t.equal(asked(), 2)
})

t.test('a token that was refused', async (t) => {
  t.test('a brand-new one: another would be refused as well', async (t) => {
    const { own, timing, asked } = await stageOf(t)
    const token = await own.get()
    timing.advance(NEW - 1)
    t.equal(own.renew(token), false)
    t.equal(await own.get(), token)
    t.equal(asked(), 1)
  })
  t.test('an old one is replaced', async (t) => {
    const { own, timing, asked } = await stageOf(t)
    const token = await own.get()
    timing.advance(NEW)
    t.equal(own.renew(token), true)
    t.not(await own.get(), token)
    t.equal(asked(), 2)
  })
  t.test('an old one, refused many times, is replaced once', async (t) => {
    const { own, timing, asked } = await stageOf(t)
    const token = await own.get()
    timing.advance(NEW)
    const renewals = Array.from({ length: 10 }, async () => own.renew(token) && own.get())
    t.equal(new Set([token, ...(await Promise.all(renewals))]).size, 2)
    t.equal(asked(), 2)
  })
  t.test('an old one, while a new one is there', async (t) => {
    const { own, timing, asked } = await stageOf(t)
    const old = await own.get()
    timing.advance(NEW)
    own.renew(old)
    const renewed = await own.get()
    t.equal(own.renew(old), true, 'there is another to try with')
    t.equal(await own.get(), renewed, 'which is kept')
    t.equal(asked(), 2)
  })
  t.test('an old one, while a new one is on its way', async (t) => {
    const { own, timing, asked } = await stageOf(t)
    const old = await own.get()
    timing.advance(NEW)
    own.renew(old)
    const underWay = own.get()
    t.equal(own.renew(old), true)
    t.equal(await own.get(), await underWay)
    t.equal(asked(), 2)
  })
})

t.test('a failure is told to all who wait, and not kept', async (t) => {
  const { own, endpoint, asked } = await stageOf(t)
  endpoint.behave(503)
  const failed = await Promise.allSettled([own.get(), own.get(), own.get()])
  t.match(failed, Array(3).fill({ status: 'rejected' }))
  t.equal(asked(), 1)
  endpoint.behave('ok')
  t.match(await own.get(), /^gateway-/)
  t.equal(asked(), 2)
})

t.test('a token that is still good serves while another cannot be had', async (t) => {
  const { own, endpoint, timing, asked } = await stageOf(t)
  endpoint.setLifetime(300)
  const first = await own.get()
  timing.advance(271 * SECOND)
  endpoint.behave(503)
  t.equal(await own.get(), first)
  t.equal(asked(), 2)
  timing.advance(29 * SECOND)
  await t.rejects(own.get(), { message: /status 503/ })
})

t.test('the token endpoint is not known, or not safe to send a secret to', async (t) => {
  const message = 'the metadata of the issuer has no token_endpoint'
  const unknown = await stageOf(t, { tokenEndpoint: () => Promise.reject(new Error(message)) })
  await t.rejects(unknown.own.get(), { message })
  const unsafe = await stageOf(t, { tokenEndpoint: async () => 'http://as.example/token' })
  await t.rejects(unsafe.own.get(), { message: 'http://as.example/token is not an https URL' })
})

for (const [behaviour, why] of [
  [204, 'no token for the gateway itself, status 204'],
  [400, 'no token for the gateway itself, status 400'],
  [401, 'no token for the gateway itself, status 401'],
  [500, 'no token for the gateway itself, status 500'],
  ['redirect', 'no token for the gateway itself, status 307'],
  ['html', 'the answer has no access_token'],
  ['cut', 'the answer has no access_token'],
  ['large', 'the answer is longer than 65536 bytes'],
] as const) {
  t.test(`the token endpoint answers with ${behaviour}`, async (t) => {
    const { own, endpoint, url } = await stageOf(t)
    endpoint.behave(behaviour)
    await t.rejects(own.get(), { message: `${url}: ${why}` })
  })
}

/** A token endpoint that answers with this text, `delayMs` of the injected time later. */
async function answersOf(t: Test, answer: string, delayMs = 0) {
  const timing = createTiming()
  const { url, requests } = await startRawUpstream(t, (socket) => {
    timing.advance(delayMs)
    socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(answer)}\r\n\r\n${answer}`)
  })
  const { own } = await stageOf(t, { tokenEndpoint: async () => `${url}/token`, timing })
  return { own, timing, requests }
}

t.test('answers without a token that could be sent', async (t) => {
  for (const [name, answer] of [
    ['no access_token', { token_type: 'Bearer', expires_in: 300 }],
    ['a number', { access_token: 7 }],
    ['null', { access_token: null }],
    ['an empty one', { access_token: '' }],
    ['CR LF in it', { access_token: 'a\r\nX-Admin: 1' }],
    ['LF at its end', { access_token: 'abc\n' }],
    ['a space in it', { access_token: 'a b' }],
    ['beyond ASCII', { access_token: 'ü' }],
    ['an error with status 200', { error: 'invalid_client' }],
    ['an array', [{ access_token: 'abc' }]],
  ] as const) {
    const { own } = await answersOf(t, JSON.stringify(answer))
    await t.rejects(
      own.get(),
      { message: /^http:[^ ]+\/token: the answer has no access_token$/ },
      name,
    )
  }
  const twice = await answersOf(t, '{"access_token":"abc","access_token":"def"}')
  await t.rejects(twice.own.get(), { message: /has no access_token/ }, 'two of them')
})

t.test('RFC 6750 §2.1 all signs a token may have', async (t) => {
  const { own } = await answersOf(t, JSON.stringify({ access_token: 'aZ09-._~+/==' }))
  t.equal(await own.get(), 'aZ09-._~+/==')
})

t.test('expires_in that is no time', async (t) => {
  for (const expires_in of ['5m', 0, -1, null, true, {}]) {
    const answer = JSON.stringify({ access_token: 'abc', expires_in })
    const { own, timing, requests } = await answersOf(t, answer)
    await own.get()
    timing.advance(YEAR)
    t.equal(await own.get(), 'abc', JSON.stringify(expires_in))
    t.equal(requests.length, 1, 'until it is refused')
  }
})

t.test('the life of a token is counted from before it was asked for', async (t) => {
  const answer = JSON.stringify({ access_token: 'abc', expires_in: 300 })
  const { own, timing, requests } = await answersOf(t, answer, 4 * SECOND)
  await own.get()
  timing.advance(266 * SECOND - 1)
  await own.get()
  t.equal(requests.length, 1)
  timing.advance(1)
  await own.get()
  t.equal(requests.length, 2)
})

t.test('RFC 6750 §2.1 as the credentials of a question', async (t) => {
  const { own, timing, asked } = await stageOf(t)
  const bearer = createBearer(own)
  const form = new URLSearchParams()
  const headers = await bearer.apply(form)
  t.strictSame(headers, { authorization: `Bearer ${await own.get()}` })
  t.equal(form.toString(), '', 'nothing in the form')
  t.equal(bearer.renew?.(headers), false, 'brand-new')
  timing.advance(NEW)
  t.equal(bearer.renew?.(headers), true)
  t.not((await bearer.apply(form))['authorization'], headers['authorization'])
  t.equal(asked(), 2)
})

t.test('expires_in as text counts', async (t) => {
  const answer = JSON.stringify({ access_token: 'abc', expires_in: '300' })
  const { own, timing, requests } = await answersOf(t, answer)
  await own.get()
  timing.advance(270 * SECOND)
  await own.get()
  t.equal(requests.length, 2)
})
