import t from 'tap'
import type { KeyEvent } from '../../src/issuer/key-source.ts'
import { createAuthority } from '../support/jwks-server.ts'
import { createTiming, until } from './manual-timing.ts'
import { keySetOf } from './key-set.ts'

const COOL_DOWN = 30_000

t.test('a request for a known key does not wait for a refresh', async (t) => {
  const authority = await createAuthority(t)
  const keys = keySetOf(t, authority)
  await keys.start()
  authority.behave('hang')
  const unknown = t.rejects(keys.find('key-9', 'ES256'), { code: 'issuer_unavailable' })
  await until(() => authority.requests.jwks === 2)
  t.ok(await keys.find('key-1', 'ES256'), 'served while the refresh hangs')
  keys.close()
  await unknown
})

t.test('#215 unknown keys cause one fetch in a cool-down', async (t) => {
  const authority = await createAuthority(t)
  const timing = createTiming()
  const keys = keySetOf(t, authority, { timing })
  await keys.start()
  const flood = (count: number) =>
    Promise.allSettled(Array.from({ length: count }, (_, index) => keys.find(`x${index}`, 'ES256')))

  await flood(10_000)
  t.equal(authority.requests.jwks, 2, 'at once')
  for (let round = 0; round < 10; round++) await flood(10)
  timing.advance(COOL_DOWN - 1)
  await flood(10)
  t.equal(authority.requests.jwks, 2, 'one after the other')
  await t.rejects(keys.find('x', 'ES256'), { code: 'token_signature' })
  timing.advance(1)
  await flood(10)
  t.equal(authority.requests.jwks, 3, 'after the cool-down')
})

t.test('#215 the cool-down holds while the issuer is down', async (t) => {
  const authority = await createAuthority(t)
  const timing = createTiming()
  const keys = keySetOf(t, authority, { timing })
  await keys.start()
  authority.behave('error')
  for (let round = 0; round < 10; round++) {
    await t.rejects(keys.find('key-9', 'ES256'), { code: 'issuer_unavailable' })
  }
  t.equal(authority.requests.jwks, 2)
})

t.test('#215 a new key is found at once, and the old one is gone', async (t) => {
  const authority = await createAuthority(t)
  const keys = keySetOf(t, authority)
  await keys.start()
  const version = keys.version()
  await authority.rotate()
  t.ok(await keys.find('key-2', 'ES256'))
  t.not(keys.version(), version)
  await t.rejects(keys.find('key-1', 'ES256'), { code: 'token_signature' })
})

t.test('#231 keys that cannot be used are skipped, and reported once', async (t) => {
  const authority = await createAuthority(t)
  const [good] = authority.keys()
  const n = Buffer.alloc(128, 0xff).toString('base64url') // 1024 bits
  authority.publish([
    { ...good, kid: 'private', d: 'AAAA' },
    { kty: 'oct', kid: 'symmetric', k: 'AAAA', alg: 'HS256' },
    { kty: 'RSA', kid: 'weak', n, e: 'AQAB' },
    { ...good, kid: 'encryption', use: 'enc' },
    { ...good, kid: 'off-curve', x: good?.y },
    'not an object',
    ...authority.keys(),
  ])
  const events: KeyEvent[] = []
  const keys = keySetOf(t, authority, { report: (event) => void events.push(event) })
  await keys.start()
  await keys.start()

  t.ok(await keys.find('key-1', 'ES256'))
  for (const kid of ['private', 'symmetric', 'encryption', 'off-curve']) {
    await t.rejects(keys.find(kid, 'ES256'), { code: 'token_signature' }, kid)
  }
  await t.rejects(keys.find('weak', 'RS256'), { code: 'token_signature' })
  t.match(
    events.map(({ message }) => message),
    [
      /key private is published with its private part/,
      /key symmetric is symmetric/,
      /key weak is too weak/,
      /key encryption is for encryption/,
      /key off-curve is malformed/,
      /key without kid is malformed/,
      /keys loaded, kid: key-1; for ES256$/,
    ],
  )
  t.equal(events.length, 7, 'once')
})

t.test('#231 a kid that two keys share', async (t) => {
  const authority = await createAuthority(t)
  const same = await createAuthority(t)
  const rsa = await createAuthority(t, { alg: 'RS256' })
  authority.publish([...authority.keys(), ...authority.keys(), ...rsa.keys()])
  const keys = keySetOf(t, authority)
  await keys.start()
  t.ok(await keys.find('key-1', 'ES256'), 'the algorithm tells them apart')
  t.ok(await keys.find('key-1', 'RS256'))

  authority.publish([...authority.keys(), ...same.keys()])
  await keys.start()
  await t.rejects(keys.find('key-1', 'ES256'), { code: 'token_signature' })
})
