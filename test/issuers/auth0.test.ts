/** Auth0: the issuer ends in a slash, subjects have `|` and `@`, and there is no introspection. */
import t from 'tap'
import { createStage } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { answerTokens, type Shape } from './server.ts'

const TENANT = {
  path: '/',
  alg: 'RS256',
  discovery: 'openid',
  endpoints: { jwks: '/.well-known/jwks.json', token: '/oauth/token' },
  metadata: {
    introspection_endpoint: undefined,
    dpop_signing_alg_values_supported: ['ES256'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
  },
} as const

/** The profile that Auth0 gives its APIs; the other one is RFC 9068. */
const JWT: Shape = {
  header: { typ: 'JWT' },
  claims: ({ issuer, jkt, now }) => ({
    iss: issuer,
    sub: 'auth0|65f1c0de',
    aud: ['https://api.example.com', `${issuer}userinfo`],
    iat: now,
    exp: now + 86_400,
    azp: 'o9Q1sY2bX',
    scope: 'openid read:orders',
    permissions: ['read:orders'],
    cnf: { jkt },
  }),
}

const ALICE = { subject: 'auth0|65f1c0de', client: 'o9Q1sY2bX', scope: 'openid read:orders' }
const AUDIENCE = 'audience: https://api.example.com'

t.test('JWT', async (t) => {
  const stage = await createStage(t, { authority: TENANT, issuer: AUDIENCE })
  answerTokens(t, stage, JWT, [
    { name: 'as it comes', answer: ALICE },
    {
      name: 'RFC 9068 profile',
      header: { typ: 'at+jwt' },
      claims: {
        azp: undefined,
        client_id: 'o9Q1sY2bX',
        jti: 'WZ1',
        aud: 'https://api.example.com',
      },
      answer: ALICE,
    },
    {
      name: 'of a user of an enterprise connection',
      claims: { sub: 'waad|alice@example.com' },
      answer: { ...ALICE, subject: 'waad|alice@example.com' },
    },
    {
      name: 'of a machine',
      claims: { sub: 'o9Q1sY2bX@clients', scope: undefined, gty: 'client-credentials' },
      answer: { subject: 'o9Q1sY2bX@clients', client: 'o9Q1sY2bX' },
    },
    {
      name: 'of another API of the tenant',
      claims: { aud: ['https://other.example.com'] },
      answer: '401 token_audience',
    },
    {
      name: 'ID token',
      claims: { aud: 'https://api.example.com', nonce: 'n-0S6' },
      answer: '401 token_type',
    },
    { name: 'without DPoP', claims: { cnf: undefined }, answer: '401 token_unbound' },
  ])
})

t.test('configured without the slash, it never becomes ready and says why', async (t) => {
  const stage = await createStage(t, {
    authority: TENANT,
    issuer: ({ issuer }) => `issuer: ${issuer.slice(0, -1)}\n${AUDIENCE}`,
    awaitReady: false,
  })
  const named = new RegExp(`by its trailing slash: configure it as ${stage.authority.issuer}`)
  await until(() => stage.log().some(({ msg }) => named.test(String(msg))))
  const readiness = await fetch(`http://127.0.0.1:${stage.adminPort}/readyz`)
  t.equal(readiness.status, 503)
  t.match(await readiness.text(), named)
  answerTokens(t, stage, JWT, [{ name: 'refused', answer: '401 token_issuer' }])
})
