import { generateKeyPairSync, verify, createPublicKey, type JsonWebKey } from 'node:crypto'
import { calculateJwkThumbprint, createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose'
import t from 'tap'
import {
  createAssertionKey,
  createAssertions,
  type Assert,
  type AssertionRules,
} from '../src/assertion.ts'
import type { AccessToken } from '../src/token/access-token.ts'

const ISSUER = 'https://api.example.com'
const NOW = 1_800_000_000
const RULES: AssertionRules = { audience: 'orders', lifetimeSeconds: 30, claims: [] }

const accessToken = (changes: Partial<AccessToken> = {}): AccessToken => ({
  issuer: 'https://as.example.com',
  issuerName: 'main',
  subject: 'alice',
  clientId: 'app',
  scopes: ['read', 'write'],
  thumbprint: 'jkt',
  expiresAt: NOW + 3600,
  claims: {},
  ...changes,
})
const header = { segment: '', wellFormed: true, typ: '', alg: '', leaksKey: false }
const proof = {
  ...{
    jti: 'j',
    issuedAt: 0,
    thumbprint: 'jkt',
    remainingSeconds: 1,
    nonce: '',
    nonceMadeAt: undefined,
  },
  header: { ...header, key: () => 'unusable' as const },
}

const grant = (token: AccessToken | undefined, now = NOW): Parameters<Assert>[0] => ({
  token,
  proof,
  now,
})

function setUp(keys = [createAssertionKey()], rules = RULES) {
  const { createAssert, keySet } = createAssertions(ISSUER, keys)
  return { assert: createAssert(rules), keySet: JSON.parse(keySet) as JSONWebKeySet }
}

function claimsOf(assertion = ''): Record<string, unknown> {
  const [, payload = ''] = assertion.split('.')
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
}

t.test('an upstream can verify it with a common library and the published keys', async (t) => {
  const { assert, keySet } = setUp()
  const verified = await jwtVerify(assert(grant(accessToken())) ?? '', createLocalJWKSet(keySet), {
    ...{ issuer: ISSUER, audience: 'orders', typ: 'dpop-gateway-assertion+jwt' },
    ...{ algorithms: ['ES256'], currentDate: new Date(NOW * 1000) },
  })
  t.strictSame(verified.payload, {
    ...{ iss: ISSUER, aud: 'orders', sub: 'alice', client_id: 'app', scope: 'read write' },
    ...{ token_iss: 'https://as.example.com', cnf: { jkt: 'jkt' }, iat: NOW, exp: NOW + 30 },
  })
})

t.test('what the token does not say is left out', async (t) => {
  const { assert } = setUp()
  const token = accessToken({ subject: undefined, clientId: undefined, scopes: [] })
  t.strictSame(claimsOf(assert({ token, proof: undefined, now: NOW })), {
    ...{ iss: ISSUER, aud: 'orders', token_iss: 'https://as.example.com' },
    ...{ iat: NOW, exp: NOW + 30 },
  })
  t.equal(assert(grant(undefined)), undefined, 'and without a token there is none')
})

t.test(
  'further claims, and none that the token only inherits or that the gateway sets',
  async (t) => {
    const claims = ['groups', 'missing', 'constructor', '__proto__', 'iss']
    const { assert } = setUp(undefined, { ...RULES, claims })
    const token = accessToken({ claims: { groups: ['a', 'é\n'], other: 1, iss: 'mallory' } })
    const asserted = claimsOf(assert(grant(token)))
    t.strictSame(asserted['groups'], ['a', 'é\n'])
    t.equal(asserted['iss'], ISSUER)
    for (const name of ['missing', 'other', 'constructor', '__proto__']) {
      t.notOk(Object.hasOwn(asserted, name), name)
    }
  },
)

t.test('it is signed anew after half of its lifetime', async (t) => {
  const { assert } = setUp()
  const token = accessToken()
  const first = assert(grant(token))
  t.equal(assert(grant(token, NOW + 14)), first)
  const second = assert(grant(token, NOW + 15))
  t.match(claimsOf(second), { iat: NOW + 15, exp: NOW + 45 })
  t.match(claimsOf(assert(grant(token, NOW))), { iat: NOW }, 'and when the clock was set back')
})

t.test('it does not outlive its token', async (t) => {
  const { assert } = setUp()
  const token = accessToken({ expiresAt: NOW + 10 })
  t.match(claimsOf(assert(grant(token))), { exp: NOW + 10 })
  t.match(claimsOf(assert(grant(token, NOW + 5))), { iat: NOW + 5, exp: NOW + 10 })
  t.match(claimsOf(assert(grant(accessToken({ expiresAt: Infinity })))), { exp: NOW + 30 })
})

t.test('no token has that of another, and no route that of another', async (t) => {
  const { createAssert } = createAssertions(ISSUER, [createAssertionKey()])
  const orders = createAssert(RULES)
  const billing = createAssert({ ...RULES, audience: 'billing' })
  const alice = accessToken()
  const bob = accessToken({ subject: 'bob' })
  for (const token of [alice, bob, alice]) {
    t.match(claimsOf(orders(grant(token))), { sub: token.subject, aud: 'orders' })
    t.match(claimsOf(billing(grant(token))), { sub: token.subject, aud: 'billing' })
  }
})

t.test('the first key signs, all are published, of none more than its public part', async (t) => {
  const [old, young] = [createAssertionKey(), createAssertionKey()]
  const before = setUp([old, young])
  const after = setUp([young, old])
  t.equal(before.keySet.keys.length, 2)
  for (const jwk of before.keySet.keys) {
    t.strictSame(Object.keys(jwk).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
    t.equal(jwk.kid, await calculateJwkThumbprint(jwk), 'RFC 7638')
    t.match(jwk, { alg: 'ES256', use: 'sig' })
  }
  const published = createLocalJWKSet(before.keySet)
  const currentDate = new Date(NOW * 1000)
  for (const { assert } of [before, after]) {
    const { protectedHeader } = await jwtVerify(assert(grant(accessToken())) ?? '', published, {
      currentDate,
    })
    t.equal(protectedHeader.kid, assert === before.assert ? kidAt(before, 0) : kidAt(before, 1))
  }
})

function kidAt({ keySet }: { keySet: JSONWebKeySet }, at: number): unknown {
  return keySet.keys[at]?.kid
}

t.test('a key as JWK is the same key, whatever it calls itself', async (t) => {
  const { privateKey } = await crypto.subtle.generateKey(
    { name: 'ECDSA', namedCurve: 'P-256' },
    true,
    ['sign'],
  )
  const jwk = await crypto.subtle.exportKey('jwk', privateKey)
  const { assert, keySet } = setUp([JSON.stringify({ ...jwk, kid: 'mine' })])
  t.not(kidAt({ keySet }, 0), 'mine')
  const [head = '', payload = '', signature = ''] = (assert(grant(accessToken())) ?? '').split('.')
  const key = createPublicKey({ key: keySet.keys[0] as JsonWebKey, format: 'jwk' })
  const input = Buffer.from(`${head}.${payload}`)
  const bytes = Buffer.from(signature, 'base64url')
  t.ok(verify('sha256', input, { key, dsaEncoding: 'ieee-p1363' }, bytes))
})

t.test('another kind of key is none, and neither is no key', async (t) => {
  const options = {
    namedCurve: 'P-384',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  } as const
  const { privateKey } = generateKeyPairSync('ec', options)
  t.throws(() => createAssertions(ISSUER, [privateKey]), /is not a key for its algorithm/)
  t.throws(() => createAssertions(ISSUER, []), /no key/)
})
