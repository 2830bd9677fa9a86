import { inspect } from 'node:util'
import t from 'tap'
import { readAccessToken, readExpiry, type ClaimRules } from '../../src/token/claims.ts'
import { AUDIENCE, THUMBPRINT } from '../support/jwks-server.ts'

const NOW = 1_700_000_000
const RULES: ClaimRules = {
  name: 'main',
  issuer: 'https://as.example.com',
  audience: [AUDIENCE, 'second'],
  clockSkewSeconds: 30,
}

const read = (claims: object, rules: Partial<ClaimRules> = {}) =>
  readAccessToken({ aud: AUDIENCE, ...claims }, { ...RULES, ...rules }, NOW + 60, NOW)

t.test('#222 audience', async (t) => {
  for (const aud of [AUDIENCE, 'second', ['other', AUDIENCE], [1, null, AUDIENCE]]) {
    t.doesNotThrow(() => read({ aud }), `taken: ${JSON.stringify(aud)}`)
  }
  for (const aud of [undefined, null, 'other', `${AUDIENCE}/`, [], [['second']], 1, {}]) {
    t.throws(() => read({ aud }), { code: 'token_audience' }, `refused: ${JSON.stringify(aud)}`)
    t.doesNotThrow(() => read({ aud }, { audience: 'none' }), 'taken with the check switched off')
  }
})

t.test('#223 exp past, within skew, missing', async (t) => {
  t.equal(readExpiry({ exp: NOW + 60 }, 30, NOW), NOW + 90, 'the skew is in it')
  t.equal(readExpiry({ exp: NOW - 29 }, 30, NOW), NOW + 1)
  t.throws(() => readExpiry({ exp: NOW - 30 }, 30, NOW), { code: 'token_expired' })
  t.throws(() => readExpiry({ exp: -1 }, 30, NOW), { code: 'token_expired' })
  t.equal(readExpiry({}, 30, NOW), undefined)
  t.equal(readExpiry({ exp: null }, 30, NOW), undefined)
})

t.test('#223 nbf future, iat future', async (t) => {
  t.throws(() => read({ nbf: NOW + 31 }), { code: 'token_premature' })
  t.doesNotThrow(() => read({ nbf: NOW + 30 }))
  t.doesNotThrow(() => read({ iat: NOW + 86_400 }))
})

t.test('#224 times that are no seconds', async (t) => {
  for (const exp of [String(NOW + 60), (NOW + 60) * 1_000, Infinity, {}, true]) {
    t.throws(() => readExpiry({ exp }, 30, NOW), { code: 'token_malformed' }, `exp ${inspect(exp)}`)
  }
  for (const time of [String(NOW), Infinity, {}]) {
    t.throws(() => read({ nbf: time }), { code: 'token_malformed' }, `nbf ${inspect(time)}`)
    t.throws(() => read({ iat: time }), { code: 'token_malformed' }, `iat ${inspect(time)}`)
  }
})

t.test('#238 nbf in milliseconds, null members', async (t) => {
  t.doesNotThrow(() => read({ nbf: NOW * 1_000, iat: null }))
  t.throws(() => read({ nbf: (NOW + 60) * 1_000 }), { code: 'token_premature' })
  const token = read({ nbf: null, sub: null, client_id: null, azp: 'app', scope: null, cnf: null })
  t.match(token, { subject: undefined, clientId: 'app', scopes: [], thumbprint: undefined })
})

t.test('#225 scopes from scope or scp, string or array', async (t) => {
  for (const claims of [
    { scope: 'read write' },
    { scope: ['read', 'write'] },
    { scp: ['read', 'write'] },
    { scp: ' read  write read' },
    { scope: ['read write', 1, null] },
    { scope: null, scp: 'read write' },
    { scope: 'read write', scp: 'admin' },
  ]) {
    t.strictSame(read(claims).scopes, ['read', 'write'], JSON.stringify(claims))
  }
  for (const claims of [{}, { scope: '' }, { scope: [] }, { scope: 1 }, { scope: { read: 1 } }]) {
    t.strictSame(read(claims).scopes, [], JSON.stringify(claims))
  }
})

t.test('#227 sub missing, empty or strange', async (t) => {
  for (const sub of [undefined, null, '', 7, ['alice']]) t.equal(read({ sub }).subject, undefined)
  for (const sub of ['a\r\nX-Admin: 1', 'ünï', 'auth0|a@b', 'x'.repeat(10_240)]) {
    t.equal(read({ sub }).subject, sub, 'as it is: only who writes a header knows its limits')
  }
})

t.test('the client from client_id, azp, cid or appid', async (t) => {
  for (const name of ['client_id', 'azp', 'cid', 'appid']) {
    t.equal(read({ [name]: 'app' }).clientId, 'app', name)
  }
  t.equal(read({ client_id: 'app', azp: 'other' }).clientId, 'app')
  t.equal(read({ client_id: '', azp: 'app' }).clientId, 'app')
  t.equal(read({ client_id: 7 }).clientId, undefined)
})

t.test('#204 no cnf is no binding', async (t) => {
  t.equal(read({}).thumbprint, undefined)
})

t.test('#205 cnf that is no confirmation', async (t) => {
  for (const cnf of ['', THUMBPRINT, [THUMBPRINT], 1, true, {}, { jkt: '' }, { jkt: 1 }]) {
    t.throws(() => read({ cnf }), { code: 'token_unbound' }, JSON.stringify(cnf))
  }
  t.throws(() => read({ cnf: { jkt: null } }), { code: 'token_unbound' })
})

t.test('#206 jkt in another spelling', async (t) => {
  const hex = Buffer.from(THUMBPRINT, 'base64url').toString('hex')
  const unusedBits = THUMBPRINT.slice(0, -1) + 'J'
  for (const jkt of [`${THUMBPRINT}=`, ` ${THUMBPRINT}`, THUMBPRINT.slice(1), hex, unusedBits]) {
    t.throws(() => read({ cnf: { jkt } }), { code: 'token_unbound' }, jkt)
  }
})

t.test('#207 cnf with members that bind to nothing', async (t) => {
  const cnf = { jkt: THUMBPRINT, 'kc-jkt-type': 'DPoP', kid: 'k', 'x5t#S256': null }
  t.equal(read({ cnf, 'x5t#S256': 'of the client' }).thumbprint, THUMBPRINT)
})

t.test('#208 cnf with a second binding', async (t) => {
  for (const name of ['x5t#S256', 'jwk', 'jwe', 'jku']) {
    const cnf = { jkt: THUMBPRINT, [name]: 'x' }
    t.throws(() => read({ cnf }), { code: 'token_unbound' }, name)
  }
})

t.test('#209 cnf with x5t#S256 alone', async (t) => {
  t.throws(() => read({ cnf: { 'x5t#S256': THUMBPRINT } }), { code: 'token_unbound' })
})

t.test('what the operator calls the issuer, and all claims', async (t) => {
  const token = read({ tenant: 'acme' })
  t.match(token, { issuer: RULES.issuer, issuerName: 'main', expiresAt: NOW + 60 })
  t.equal(token.claims['tenant'], 'acme')
})
