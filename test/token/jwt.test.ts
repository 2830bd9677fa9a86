import { createHmac } from 'node:crypto'
import t from 'tap'
import { createJwtVerifier } from '../../src/token/jwt.ts'
import { AUDIENCE, createAuthority, THUMBPRINT } from '../support/jwks-server.ts'
import { ALL, keySetOf } from '../issuer/key-set.ts'
import { verifierOf, wallClock } from './verifier.ts'

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

t.test('a valid token', async (t) => {
  const authority = await createAuthority(t)
  const verify = await verifierOf(t, authority)
  const now = wallClock()
  t.match(await verify(await authority.mint({ exp: now + 300 }), now), {
    issuer: authority.issuer,
    issuerName: 'main',
    subject: 'alice',
    clientId: 'app',
    scopes: ['read', 'write'],
    thumbprint: THUMBPRINT,
    expiresAt: now + 330,
    claims: { iss: authority.issuer, aud: AUDIENCE },
  })
})

for (const alg of ['ES256', 'ES384', 'ES512', 'PS256', 'RS256', 'RS512', 'EdDSA', 'Ed25519']) {
  t.test(`a token signed with ${alg}`, async (t) => {
    const authority = await createAuthority(t, { alg })
    const verify = await verifierOf(t, authority)
    t.equal((await verify(await authority.mint())).subject, 'alice')
  })
}

t.test('EdDSA and Ed25519 are one switch', async (t) => {
  for (const [alg, other] of [
    ['EdDSA', 'Ed25519'],
    ['Ed25519', 'EdDSA'],
  ] as const) {
    const authority = await createAuthority(t, { alg })
    const keys = keySetOf(t, authority, { algorithms: [other] })
    const verify = await verifierOf(t, authority, { algorithms: [other], keys })
    await t.resolves(verify(await authority.mint()))
    authority.publish(authority.keys().map((jwk) => ({ ...jwk, alg: other })))
    await keys.start()
    await t.resolves(verify(await authority.mint()), 'whatever name the key has')
  }
})

t.test('one thing wrong', async (t) => {
  const authority = await createAuthority(t)
  const attacker = await createAuthority(t)
  const verify = await verifierOf(t, authority)
  const now = wallClock()
  const valid = await authority.mint()
  const [header = '', payload = '', signature = ''] = valid.split('.')
  const { mint, sign } = authority
  const own = { iss: authority.issuer }
  const withHeader = (extra: object) =>
    `${encode({ alg: 'ES256', typ: 'at+jwt', kid: 'key-1', ...extra })}.${payload}.${signature}`

  const cases = [
    ['#215 bad signature', `${header}.${payload}.${'A'.repeat(86)}`, 'token_signature'],
    ['#215 signature of another length', `${header}.${payload}.AAAA`, 'token_signature'],
    ['#215 no signature', `${header}.${payload}.`, 'token_signature'],
    ['#215 unknown kid', mint({}, { kid: 'key-9' }), 'token_signature'],
    ['#215 kid is no string', mint({}, { kid: 1 }), 'token_malformed'],
    [
      '#217 jwk of the attacker',
      attacker.mint(own, { jwk: attacker.keys()[0] }),
      'token_signature',
    ],
    ['#217 jku', attacker.mint(own, { jku: attacker.jwksUri }), 'token_signature'],
    ['#217 x5u', attacker.mint(own, { x5u: attacker.jwksUri }), 'token_signature'],
    ['#219 typ dpop+jwt', mint({}, { typ: 'dpop+jwt' }), 'token_type'],
    ['#219 typ logout+jwt', mint({}, { typ: 'logout+jwt' }), 'token_type'],
    ['#219 typ null', mint({}, { typ: null }), 'token_type'],
    ['#212 ID token: nonce', mint({ nonce: 'n' }, { typ: 'JWT' }), 'token_type'],
    ['#212 ID token: at_hash', mint({ at_hash: 'h' }, { typ: undefined }), 'token_type'],
    ['#212 ID token: c_hash', mint({ c_hash: 'h' }, { typ: 'JWT' }), 'token_type'],
    ['#212 ID token: s_hash', mint({ s_hash: 'h' }, { typ: 'JWT' }), 'token_type'],
    ['#212 logout token', mint({ events: {} }, { typ: 'JWT' }), 'token_type'],
    ['#212 refresh token', mint({ typ: 'Refresh' }, { typ: 'JWT' }), 'token_type'],
    ['#212 offline token', mint({ typ: 'Offline' }, { typ: 'JWT' }), 'token_type'],
    ['#212 payload typ ID', mint({ typ: 'ID' }, { typ: undefined }), 'token_type'],
    ['#220 iss other', mint({ iss: 'https://evil.example' }), 'token_issuer'],
    ['#220 iss with a slash', mint({ iss: `${authority.issuer}/` }), 'token_issuer'],
    ['#220 iss missing', mint({ iss: undefined }), 'token_issuer'],
    ['#220 iss an array', mint({ iss: [authority.issuer] }), 'token_issuer'],
    ['#222 aud other', mint({ aud: 'other' }), 'token_audience'],
    ['#223 exp missing', mint({ exp: undefined }), 'token_malformed'],
    ['#223 exp past', mint({ exp: now - 60 }), 'token_expired'],
    ['#223 nbf future', mint({ nbf: now + 60 }), 'token_premature'],
    ['#224 exp string', mint({ exp: '9999999999' }), 'token_malformed'],
    ['#224 exp in milliseconds', mint({ exp: (now + 60) * 1_000 }), 'token_malformed'],
    ['#224 exp 1e400', sign(`{"iss":"${authority.issuer}","exp":1e400}`), 'token_malformed'],
    ['#228 duplicate claim', sign(`{"iss":"x","iss":"${authority.issuer}"}`), 'token_malformed'],
    ['#229 JWE', `${header}.AAAA.AAAA.AAAA.AAAA`, 'token_malformed'],
    ['#205 cnf empty', mint({ cnf: {} }), 'token_unbound'],
    ['opaque', 'Jb2_gJ8kQ', 'token_malformed'],
    ['signature in a second spelling', `${header}.${payload}.${signature}=`, 'token_malformed'],
    ['header padded', `${header}=.${payload}.${signature}`, 'token_malformed'],
    ['claims not an object', sign('[]'), 'token_malformed'],
    ['crit', withHeader({ crit: ['exp'] }), 'token_malformed'],
    ['nested JWT', mint({}, { cty: 'JWT' }), 'token_malformed'],
  ] as const

  for (const [name, token, code] of cases) {
    await t.rejects(verify(await token, now), { code }, name)
  }
  t.equal(attacker.requests.jwks, 0, '#217 nothing is fetched from where a token points')
  t.equal(authority.requests.jwks, 2, '#215 one refresh for all of the unknown keys')
})

t.test('#216 alg none, HS256, not allowed, confused with the public key', async (t) => {
  const authority = await createAuthority(t, { alg: 'RS256' })
  const keys = keySetOf(t, authority)
  const verify = await verifierOf(t, authority, { keys, algorithms: ['ES256', 'PS256'] })
  const [, payload = ''] = (await authority.mint()).split('.')
  for (const alg of ['none', 'None', 'HS256', 'RS256', 'toString', '', 1]) {
    const input = `${encode({ alg, kid: 'key-1' })}.${payload}`
    const secret = JSON.stringify(authority.keys()[0])
    const mac = createHmac('sha256', secret).update(input).digest('base64url')
    await t.rejects(verify(`${input}.${mac}`), { code: 'token_algorithm' }, String(alg))
    await t.rejects(verify(`${input}.`), { code: 'token_algorithm' }, `${alg}, no signature`)
  }
  const { key } = await keys.find('key-1', 'RS256')
  const pem = key.export({ type: 'spki', format: 'pem' })
  const input = `${encode({ alg: 'HS256', kid: 'key-1' })}.${payload}`
  const mac = createHmac('sha256', pem).update(input).digest('base64url')
  await t.rejects(verify(`${input}.${mac}`), { code: 'token_algorithm' })
})

t.test('#218 typ by policy', async (t) => {
  const authority = await createAuthority(t)
  const compatible = await verifierOf(t, authority)
  const strict = await verifierOf(t, authority, { tokenType: 'strict' })
  for (const typ of ['JWT', 'jwt', undefined, 'application/jwt']) {
    const token = await authority.mint({}, { typ })
    await t.resolves(compatible(token), `compatible takes ${typ ?? 'no typ'}`)
    await t.rejects(strict(token), { code: 'token_type' }, `strict refuses ${typ ?? 'no typ'}`)
  }
  for (const typ of ['at+jwt', 'AT+JWT', 'application/at+jwt']) {
    const token = await authority.mint({}, { typ })
    await t.resolves(compatible(token), typ)
    await t.resolves(strict(token), typ)
  }
  for (const name of ['sub', 'client_id', 'iat', 'jti', 'aud', 'exp']) {
    const token = await authority.mint({ [name]: undefined })
    await t.rejects(strict(token), { code: 'token_malformed' }, `strict needs ${name}`)
  }
  for (const claims of [{ typ: 'DPoP' }, { typ: 'Bearer' }, { nonce: null }]) {
    const token = await authority.mint(claims, { typ: 'JWT' })
    await t.resolves(compatible(token), `compatible takes ${JSON.stringify(claims)}`)
  }
})

t.test('#215 kid missing with one key, with many', async (t) => {
  const authority = await createAuthority(t)
  const other = await createAuthority(t)
  const keys = keySetOf(t, authority)
  const verify = await verifierOf(t, authority, { keys })
  const token = await authority.mint({}, { kid: undefined })
  await t.resolves(verify(token))
  authority.publish([...authority.keys(), ...other.keys()])
  await keys.start()
  await t.rejects(verify(token), { code: 'token_signature' })
})

t.test('#221 a token of issuer A signed with the key of issuer B', async (t) => {
  const a = await createAuthority(t)
  const b = await createAuthority(t)
  const rules = { audience: 'none', algorithms: ALL, tokenType: 'compatible' } as const
  const issuers = [a, b].map((authority) => ({
    ...rules,
    name: authority === a ? 'a' : 'b',
    issuer: authority.issuer,
    clockSkewSeconds: 30,
    keys: keySetOf(t, authority),
  }))
  for (const { keys } of issuers) await keys.start()
  const verify = createJwtVerifier(issuers)
  t.equal((await verify(await a.mint(), wallClock())).accessToken.issuerName, 'a')
  t.equal((await verify(await b.mint(), wallClock())).accessToken.issuerName, 'b')
  const forged = await b.mint({ iss: a.issuer })
  await t.rejects(verify(forged, wallClock()), { code: 'token_signature' })
})

t.test('#220 the log names a trailing slash that differs', async (t) => {
  const authority = await createAuthority(t)
  const verify = await verifierOf(t, authority)
  const token = await authority.mint({ iss: `${authority.issuer}/` })
  const error: unknown = await verify(token).catch((cause: unknown) => cause)
  t.match(error, { detail: 'iss differs from issuer main by its trailing slash' })
})

t.test('#230 the issuer down from the start', async (t) => {
  const authority = await createAuthority(t)
  authority.behave('error')
  const verify = await verifierOf(t, authority)
  await t.rejects(verify(await authority.mint()), { code: 'issuer_unavailable' })
})
