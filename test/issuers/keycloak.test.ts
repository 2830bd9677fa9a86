/** Keycloak 26: one realm, a client with DPoP switched on. */
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { introspected } from '../support/introspected.ts'
import { createStage } from '../support/stage.ts'
import { answerTokens, type Identity, type Shape } from './server.ts'

const PATH = '/protocol/openid-connect'
const REALM = {
  path: '/realms/shop',
  alg: 'RS256',
  discovery: 'openid',
  endpoints: {
    jwks: `${PATH}/certs`,
    introspection: `${PATH}/token/introspect`,
    token: `${PATH}/token`,
  },
  metadata: {
    dpop_signing_alg_values_supported: ['PS384', 'RS384', 'EdDSA', 'ES384', 'ES256', 'RS256'],
    introspection_endpoint_auth_methods_supported: ['private_key_jwt', 'client_secret_basic'],
    tls_client_certificate_bound_access_tokens: true,
  },
} as const

/** `typ` in the header is JWT; what kind of token it is stands in the payload. */
const JWT: Shape = {
  header: { typ: 'JWT' },
  claims: ({ issuer, jkt, now }) => ({
    exp: now + 300,
    iat: now,
    auth_time: now - 60,
    jti: 'onrtac:6dd9ba4e-2c12-4c1d-9f4e-5d2a5e0b3f0a',
    iss: issuer,
    aud: 'account',
    sub: 'f1a7b1b9-8d4e-4a58-8f0c-2d6c1c5f6c1e',
    typ: 'DPoP',
    azp: 'shop-web',
    sid: '1d0c9c38-0b83-4d6a-a1d9-6b2fb1f4b0c3',
    acr: '1',
    'allowed-origins': ['https://shop.example.com'],
    realm_access: { roles: ['offline_access', 'uma_authorization'] },
    resource_access: { account: { roles: ['view-profile'] } },
    cnf: { jkt, 'kc-jkt-type': 'dpop' },
    scope: 'profile email',
    preferred_username: 'alice',
  }),
}

const ALICE: Identity = {
  subject: 'f1a7b1b9-8d4e-4a58-8f0c-2d6c1c5f6c1e',
  client: 'shop-web',
  scope: 'profile email',
}

t.test('JWT', async (t) => {
  const stage = await createStage(t, { authority: REALM, issuer: 'audience: account' })
  answerTokens(t, stage, JWT, [
    { name: 'as it comes', answer: ALICE },
    { name: 'typ at+jwt, which is opted into', header: { typ: 'at+jwt' }, answer: ALICE },
    { name: 'payload typ Bearer', claims: { typ: 'Bearer' }, answer: ALICE },
    { name: 'several audiences', claims: { aud: ['orders', 'account'] }, answer: ALICE },
    {
      name: 'a lightweight token has no sub',
      claims: { sub: undefined, preferred_username: undefined },
      answer: { client: 'shop-web', scope: 'profile email' },
    },
    { name: 'no audience mapper', claims: { aud: undefined }, answer: '401 token_audience' },
    { name: 'ID token', claims: { typ: 'ID', at_hash: 'x' }, answer: '401 token_type' },
    { name: 'ID token without hashes', claims: { typ: 'ID' }, answer: '401 token_type' },
    { name: 'refresh token', claims: { typ: 'Refresh' }, answer: '401 token_type' },
    { name: 'offline token', claims: { typ: 'Offline' }, answer: '401 token_type' },
    { name: 'logout token', header: { typ: 'logout+jwt' }, answer: '401 token_type' },
    { name: 'client without DPoP', claims: { cnf: undefined }, answer: '401 token_unbound' },
    {
      name: 'bound to a certificate',
      claims: { cnf: { 'x5t#S256': 'bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2' } },
      answer: '401 token_unbound',
    },
  ])
})

t.test('JWT, introspected', async (t) => {
  const issuer = introspected({ audience: 'none', introspection: { always: true } })
  const stage = await createStage(t, { authority: REALM, issuer })
  const { authority, client } = stage
  const send = async (answer: object) => {
    const now = Math.floor(Date.now() / 1000)
    const facts = { issuer: authority.issuer, jkt: client.thumbprint, now }
    const claims = { ...JWT.claims(facts), jti: randomUUID() }
    const token = await authority.sign(JSON.stringify(claims), JWT.header)
    authority.introspection.answer({ ...claims, ...answer }, token)
    const { status, code } = await stage.send({ token })
    return code === undefined ? status : `${status} ${code}`
  }
  const active = { active: true, client_id: 'shop-web', username: 'alice', token_type: 'DPoP' }
  t.equal(await send(active), 200)
  t.equal(await send({ ...active, token_type: undefined }), 200, 'as before release 23')
  t.equal(await send({ ...active, typ: 'Refresh' }), '401 token_type')
  t.equal(
    await send({ active: false }),
    '401 token_inactive',
    'the session has ended, or the gateway is not in aud (26.6.2)',
  )
})
