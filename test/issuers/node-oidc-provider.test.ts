/** node-oidc-provider 9: opaque tokens without a resource indicator, at+jwt with one. */
import t from 'tap'
import { introspected } from '../support/introspected.ts'
import { createStage } from '../support/stage.ts'
import { answerTokens, type Shape } from './server.ts'

const SERVER = {
  alg: 'ES256',
  discovery: 'openid',
  endpoints: { introspection: '/token/introspection' },
  metadata: {
    dpop_signing_alg_values_supported: ['ES256', 'Ed25519', 'EdDSA'],
    introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'private_key_jwt'],
  },
} as const

const JWT: Shape = {
  header: { typ: 'at+jwt' },
  claims: ({ issuer, jkt, now }) => ({
    jti: 'Vz5oYvUpgR0Q2eZLyJX1c',
    sub: 'alice',
    iat: now,
    exp: now + 7200,
    scope: 'orders:read',
    client_id: 'app',
    iss: issuer,
    aud: 'https://api.example.com',
    cnf: { jkt },
  }),
}

/** Without a resource there is no audience; members without a value are left out. */
const ANSWER: Shape = {
  claims: ({ issuer, jkt, now }) => ({
    active: true,
    sub: 'alice',
    client_id: 'app',
    exp: now + 3600,
    iat: now,
    iss: issuer,
    scope: 'openid profile',
    cnf: { jkt },
    token_type: 'DPoP',
  }),
}

t.test('JWT', async (t) => {
  const issuer = 'audience: https://api.example.com\ntokenType: strict'
  const stage = await createStage(t, { authority: SERVER, issuer })
  answerTokens(t, stage, JWT, [
    {
      name: 'as it comes, by RFC 9068 alone',
      answer: { subject: 'alice', client: 'app', scope: 'orders:read' },
    },
    { name: 'of another resource', claims: { aud: 'urn:other' }, answer: '401 token_audience' },
    { name: 'ID token', header: { typ: 'JWT' }, answer: '401 token_type' },
    { name: 'without DPoP', claims: { cnf: undefined }, answer: '401 token_unbound' },
  ])
})

t.test('opaque token', async (t) => {
  const issuer = introspected({ audience: 'none' })
  const stage = await createStage(t, { authority: SERVER, issuer })
  const alice = { subject: 'alice', client: 'app', scope: 'openid profile' }
  answerTokens(t, stage, ANSWER, [
    { name: 'as it comes', answer: alice },
    { name: 'no scope', claims: { scope: undefined }, answer: { subject: 'alice', client: 'app' } },
    {
      name: 'refresh token of a public client, which is bound as well',
      claims: { token_type: undefined },
      answer: alice,
    },
    {
      name: 'bound to a certificate as well',
      claims: { cnf: { 'x5t#S256': 'bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2' } },
      answer: '401 token_unbound',
    },
  ])
  answerTokens(t, stage, JWT, [
    {
      name: 'a JWT beside it is verified by its signature',
      answer: { subject: 'alice', client: 'app', scope: 'orders:read' },
    },
  ])
  t.test('and is not introspected, which this server would refuse', async (t) => {
    const { requests } = stage.authority.introspection
    t.notOk(requests.some(({ form }) => form.get('token')?.startsWith('ey')))
  })
})

t.test('token_type tells a refresh token, so strict needs it', async (t) => {
  const issuer = introspected({ audience: 'none', tokenType: 'strict' })
  const stage = await createStage(t, { authority: SERVER, issuer })
  answerTokens(t, stage, ANSWER, [
    { name: 'access token', answer: { subject: 'alice', client: 'app', scope: 'openid profile' } },
    { name: 'refresh token', claims: { token_type: undefined }, answer: '401 token_type' },
  ])
})

t.test('always: a JWT is inactive for this server', async (t) => {
  const issuer = introspected({ audience: 'none', introspection: { always: true } })
  const stage = await createStage(t, { authority: SERVER, issuer })
  answerTokens(t, stage, JWT, [{ name: 'refused', answer: '401 token_inactive' }])
})
