import t from 'tap'
import type { KeyEvent } from '../../src/issuer/key-source.ts'
import { createAuthority, type Behaviour } from '../support/jwks-server.ts'
import { createTiming, until } from './manual-timing.ts'
import { keySetOf } from './key-set.ts'

const DAY = 24 * 60 * 60 * 1_000

const FAILURES: readonly Behaviour[] = [
  'error',
  'hang',
  'drip',
  'html',
  'redirect',
  'large',
  'empty',
  'invalid',
  'many',
]

for (const behaviour of FAILURES) {
  t.test(`#230 known keys pass while the issuer answers with ${behaviour}`, async (t) => {
    const authority = await createAuthority(t)
    const events: KeyEvent[] = []
    const keys = keySetOf(t, authority, {
      timeoutMs: 1_000,
      report: (event) => void events.push(event),
    })
    await keys.start()
    const version = keys.version()
    authority.behave(behaviour)
    await keys.start()

    t.equal((await keys.find('key-1', 'ES256')).algorithm, 'ES256')
    t.strictSame(keys.readiness(), { ready: true })
    t.equal(keys.version(), version)
    t.match(events.at(-1), { level: 'warn', message: /could not be loaded, next attempt in 1 s/ })
    await t.rejects(keys.find('key-9', 'ES256'), { code: 'issuer_unavailable' })
    t.equal(authority.requests.elsewhere, 0, 'redirects are not followed')
  })
}

t.test('#230 before anything was loaded', async (t) => {
  const authority = await createAuthority(t)
  const timing = createTiming()
  const keys = keySetOf(t, authority, { timing })
  t.strictSame(keys.readiness(), { ready: false, reason: 'keys are not loaded yet' })
  await t.rejects(keys.find('key-1', 'ES256'), { code: 'issuer_unavailable' })

  authority.behave('error')
  await keys.start()
  t.match(keys.readiness(), { ready: false, reason: /status 500/ })
  t.equal(keys.version(), 0)
  await t.rejects(keys.find('key-1', 'ES256'), { code: 'issuer_unavailable' })

  authority.behave('ok')
  timing.advance(1_000)
  await until(() => keys.readiness().ready)
  t.ok(await keys.find('key-1', 'ES256'), 'it recovers by itself')
})

t.test('retries come in 1, 2, 4 … 30 seconds, a little early', async (t) => {
  const authority = await createAuthority(t)
  authority.behave('error')
  const timing = createTiming()
  const keys = keySetOf(t, authority, { timing })
  await keys.start()
  for (const seconds of [1, 2, 4, 8, 16, 30, 30]) {
    const [due = 0] = timing.due()
    t.ok(due <= seconds * 1_000 && due >= seconds * 900, `${seconds} s`)
    timing.advance(due)
    await until(() => timing.due().length === 1)
  }
})

t.test('refreshes as Cache-Control asks, within bounds', async (t) => {
  const authority = await createAuthority(t)
  for (const [cacheControl, seconds] of [
    [undefined, 600],
    ['no-store', 600],
    ['public, max-age=300', 300],
    ['max-age=0', 60],
    ['s-maxage=5,max-age=999999999', 3_600],
  ] as const) {
    const timing = createTiming()
    authority.behave('ok', cacheControl)
    await keySetOf(t, authority, { timing }).start()
    const [due = 0] = timing.due()
    t.ok(due <= seconds * 1_000 && due >= seconds * 900, `${cacheControl ?? 'no header'}: ${due}`)
  }
})

t.test('the refresh in the background brings new keys and takes old ones', async (t) => {
  const authority = await createAuthority(t)
  const timing = createTiming()
  const keys = keySetOf(t, authority, { timing })
  await keys.start()
  const version = keys.version()
  await authority.rotate()
  timing.advance(600_000)
  await until(() => keys.version() !== version)
  t.ok(await keys.find('key-2', 'ES256'))
})

t.test('known keys are served for a day, and again when the issuer is back', async (t) => {
  const authority = await createAuthority(t)
  const timing = createTiming()
  const keys = keySetOf(t, authority, { timing })
  await keys.start()
  const version = keys.version()
  authority.behave('error')
  timing.advance(DAY)
  t.ok(await keys.find('key-1', 'ES256'))
  timing.advance(1)
  await t.rejects(keys.find('key-1', 'ES256'), { code: 'issuer_unavailable' })
  t.equal(keys.version(), 0, 'so that no token is taken from a cache')
  await until(() => !keys.readiness().ready && timing.due().length > 0)
  authority.behave('ok')
  await keys.start()
  t.ok(await keys.find('key-1', 'ES256'))
  t.equal(keys.version(), version)
})

t.test('the order of the keys is not their content', async (t) => {
  const authority = await createAuthority(t)
  const other = await createAuthority(t, { alg: 'RS256' })
  const published = [...authority.keys(), ...other.keys()]
  authority.publish(published)
  const keys = keySetOf(t, authority)
  await keys.start()
  const version = keys.version()
  authority.publish(published.toReversed())
  await keys.start()
  t.equal(keys.version(), version)
})

t.test('keys are found by the metadata of the issuer', async (t) => {
  const authority = await createAuthority(t, { path: '/tenant' })
  const keys = keySetOf(t, authority, { jwksUri: undefined })
  await keys.start()
  t.ok(await keys.find('key-1', 'ES256'))
  t.strictSame(authority.requests, { metadata: 1, jwks: 1, elsewhere: 0 })
})

t.test('the algorithms are those that both sides know', async (t) => {
  const metadata = { access_token_signing_alg_values_supported: ['RS256', 'ES256', 'ES256'] }
  const authority = await createAuthority(t, { metadata })
  const [jwk] = authority.keys()
  authority.publish([
    { ...jwk, alg: undefined },
    (await createAuthority(t, { alg: 'ES384' })).keys()[0],
  ])
  const events: KeyEvent[] = []
  const report = (event: KeyEvent) => void events.push(event)
  const keys = keySetOf(t, authority, { jwksUri: undefined, report })
  await keys.start()
  t.ok(await keys.find('key-1', 'ES256'))
  t.match(
    events.map(({ message }) => message),
    [/key-1 .*left out/, 'keys loaded, kid: key-1; for ES256'],
  )

  const none = keySetOf(t, authority, { jwksUri: undefined, algorithms: ['PS256', 'EdDSA'] })
  await none.start()
  const reason = 'the issuer signs with none of the algorithms configured: PS256 EdDSA Ed25519'
  t.match(none.readiness(), { ready: false, reason })
})

t.test('metadata without jwks_uri', async (t) => {
  const authority = await createAuthority(t, { metadata: { jwks_uri: undefined } })
  const keys = keySetOf(t, authority, { jwksUri: undefined })
  await keys.start()
  t.match(keys.readiness(), { reason: 'the metadata of the issuer has no jwks_uri' })
})

t.test('nothing listens at the address of the issuer', async (t) => {
  const authority = await createAuthority(t)
  const keys = keySetOf(t, authority, { jwksUri: 'http://localhost:1/jwks' })
  await keys.start()
  t.match(keys.readiness(), { ready: false, reason: /ECONNREFUSED/ })
})

t.test('http beyond loopback is refused', async (t) => {
  const authority = await createAuthority(t)
  const keys = keySetOf(t, authority, { jwksUri: 'http://as.example.com/jwks' })
  await keys.start()
  t.match(keys.readiness(), { reason: 'http://as.example.com/jwks is not an https URL' })
})

t.test('a closed key set asks no more', async (t) => {
  const authority = await createAuthority(t)
  const timing = createTiming()
  const keys = keySetOf(t, authority, { timing })
  await keys.start()
  keys.close()
  timing.advance(DAY)
  t.strictSame(timing.due(), [])
  t.equal(authority.requests.jwks, 1)
})
