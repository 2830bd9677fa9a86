/** Ory Hydra 2 binds no tokens to keys, so none of them passes, and the log says why. */
import t from 'tap'
import { introspected } from '../support/introspected.ts'
import { createStage } from '../support/stage.ts'
import { answerTokens, type Shape } from './server.ts'

const SERVER = {
  path: '/',
  alg: 'RS256',
  discovery: 'openid',
  endpoints: {
    jwks: '/.well-known/jwks.json',
    introspection: '/admin/oauth2/introspect',
    token: '/oauth2/token',
  },
  // Introspection is an endpoint of the administrator, without authentication, and not published.
  metadata: { introspection_endpoint: undefined },
  client: { method: 'none' },
} as const

const JWT: Shape = {
  header: { typ: 'JWT' },
  claims: ({ issuer, now }) => ({
    aud: ['https://api.example.com'],
    client_id: '0d2e1c9b-5c34-4a4f-a8f0-1f5b0e5a7c11',
    exp: now + 3600,
    ext: {},
    iat: now,
    iss: issuer,
    jti: '6b1f7f0e-2b0c-4e52-9c6a-3d4b8c8f0a55',
    nbf: now,
    scp: ['offline', 'orders.read'],
    sub: 'alice',
  }),
}

const ANSWER: Shape = {
  claims: ({ issuer, now }) => ({
    active: true,
    scope: 'offline orders.read',
    client_id: '0d2e1c9b-5c34-4a4f-a8f0-1f5b0e5a7c11',
    sub: 'alice',
    exp: now + 3600,
    iat: now,
    nbf: now,
    aud: ['https://api.example.com'],
    iss: issuer,
    token_type: 'Bearer',
    token_use: 'access_token',
  }),
}

t.test('JWT', async (t) => {
  const stage = await createStage(t, { authority: SERVER })
  answerTokens(t, stage, JWT, [
    { name: 'as it comes', answer: '401 token_unbound' },
    { name: 'no audience', claims: { aud: [] }, answer: '401 token_audience' },
  ])
  const { client } = stage
  answerTokens(t, stage, JWT, [
    {
      name: 'with a cnf that a hook adds',
      claims: { cnf: { jkt: client.thumbprint } },
      answer: {
        subject: 'alice',
        client: '0d2e1c9b-5c34-4a4f-a8f0-1f5b0e5a7c11',
        scope: 'offline orders.read',
      },
    },
    {
      name: 'with a cnf where a hook puts it by default',
      claims: { ext: { cnf: { jkt: client.thumbprint } } },
      answer: '401 token_unbound',
    },
  ])
})

t.test('opaque token', async (t) => {
  const stage = await createStage(t, {
    authority: SERVER,
    issuer: ({ introspectionUri: endpoint }) =>
      introspected({ client: { method: 'none' }, introspection: { endpoint } }),
  })
  answerTokens(t, stage, ANSWER, [
    { name: 'as it comes', answer: '401 token_unbound' },
    { name: 'no audience', claims: { aud: [] }, answer: '401 token_audience' },
    { name: 'refresh token', claims: { token_use: 'refresh_token' }, answer: '401 token_type' },
    { name: 'unknown', claims: { active: false }, answer: '401 token_inactive' },
  ])
})
