/** Duende IdentityServer 7: scopes are an array in the JWT and a string at introspection. */
import t from 'tap'
import { introspected } from '../support/introspected.ts'
import { createStage } from '../support/stage.ts'
import { answerTokens, type Shape } from './server.ts'

const SERVER = {
  alg: 'RS256',
  discovery: 'openid',
  endpoints: {
    jwks: '/.well-known/openid-configuration/jwks',
    introspection: '/connect/introspect',
    token: '/connect/token',
  },
  metadata: {
    // The names of several signing keys of one algorithm.
    id_token_signing_alg_values_supported: ['RS256', 'ES256', 'RS256'],
    dpop_signing_alg_values_supported: ['RS256', 'RS384', 'ES256', 'ES384', 'RS256'],
  },
  client: { id: 'orders', secret: 'secret' },
} as const

const JWT: Shape = {
  header: { typ: 'at+jwt' },
  claims: ({ issuer, jkt, now }) => ({
    iss: issuer,
    nbf: now,
    iat: now,
    exp: now + 3600,
    aud: 'orders',
    cnf: { jkt },
    scope: ['openid', 'orders.read', 'offline_access'],
    amr: ['pwd'],
    client_id: 'web',
    sub: '818727',
    auth_time: now - 60,
    idp: 'local',
    sid: 'E6F1C6A1',
    jti: '44FD2DE9E9F8E9F4DDD141CD7C244BE9',
  }),
}

/** Of a reference token, told to the API resource whose scope it has: the others are left out. */
const ANSWER: Shape = {
  claims: (facts) => ({ ...JWT.claims(facts), active: true, scope: 'orders.read' }),
}

const ALICE = { subject: '818727', client: 'web', scope: 'openid orders.read offline_access' }

t.test('JWT', async (t) => {
  const stage = await createStage(t, { authority: SERVER, issuer: 'audience: orders' })
  answerTokens(t, stage, JWT, [
    { name: 'as it comes', answer: ALICE },
    {
      name: 'with EmitScopesAsSpaceDelimitedStringInJwt',
      claims: { scope: 'openid orders.read offline_access' },
      answer: ALICE,
    },
    {
      name: 'one scope is a string',
      claims: { scope: 'orders.read' },
      answer: { ...ALICE, scope: 'orders.read' },
    },
    { name: 'for two APIs', claims: { aud: ['orders', 'billing'] }, answer: ALICE },
    {
      name: 'of a machine',
      claims: { sub: undefined, amr: undefined },
      answer: { client: 'web', scope: ALICE.scope },
    },
    { name: 'for scopes without an API', claims: { aud: undefined }, answer: '401 token_audience' },
    { name: 'without DPoP', claims: { cnf: undefined }, answer: '401 token_unbound' },
  ])
})

t.test('reference token', async (t) => {
  const issuer = introspected({ audience: 'orders', client: SERVER.client })
  const stage = await createStage(t, { authority: SERVER, issuer })
  answerTokens(t, stage, ANSWER, [
    { name: 'as it comes', answer: { ...ALICE, scope: 'orders.read' } },
    {
      name: 'without one scope of the API',
      claims: { active: false },
      answer: '401 token_inactive',
    },
    {
      name: 'told to its own client and not to an API',
      claims: { token_type: 'access_token' },
      answer: { ...ALICE, scope: 'orders.read' },
    },
    {
      name: 'refresh token, which a client may introspect',
      claims: { token_type: 'refresh_token', aud: undefined },
      answer: '401 token_type',
    },
  ])
})

t.test('reference token, signed answer (release 7.3)', async (t) => {
  const issuer = introspected({
    audience: 'orders',
    client: SERVER.client,
    introspection: { response: 'jwt' },
  })
  const stage = await createStage(t, { authority: SERVER, issuer })
  answerTokens(t, stage, ANSWER, [
    { name: 'as it comes', answer: { ...ALICE, scope: 'orders.read' } },
    { name: 'inactive', claims: { active: false }, answer: '401 token_inactive' },
  ])
})
