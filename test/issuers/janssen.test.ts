/** Janssen: opaque tokens unless `access_token_as_jwt`, and answers with all the members it knows. */
import t from 'tap'
import { introspected } from '../support/introspected.ts'
import { createStage } from '../support/stage.ts'
import { answerTokens, type Shape } from './server.ts'

const PATH = '/jans-auth/restv1'
const CLIENT = '3000.5829c1f8-7554-41ab-a7d6-3513a5e9c4ad'
const SERVER = {
  alg: 'ES256',
  discovery: 'openid',
  endpoints: {
    jwks: `${PATH}/jwks`,
    introspection: `${PATH}/introspection`,
    token: `${PATH}/token`,
  },
  metadata: {
    dpop_signing_alg_values_supported: ['RS256', 'ES256', 'ES384', 'ES512', 'PS256'],
    access_token_signing_alg_values_supported: [
      ...['none', 'HS256', 'HS384', 'HS512', 'RS256', 'RS384', 'RS512', 'ES256', 'ES256', 'ES384'],
      ...['ES512', 'ES512', 'PS256', 'PS384', 'PS512'],
    ],
  },
  client: { id: '1800.df1bb233:gateway', secret: 'a+b%2F c/ü:=&' },
} as const

const JWT: Shape = {
  header: { typ: 'JWT' },
  claims: ({ issuer, jkt, now }) => ({
    aud: CLIENT,
    sub: 'f3b8c1f6-1d3e-43f1-a7f0-6a2f6a4b5c6d',
    'x5t#S256': '',
    nbf: now,
    code: '5c8f1a3e-8c1b-4a0f-b3f5-4d3f1d4a7f11',
    scope: ['openid', 'orders.read'],
    iss: issuer,
    token_type: 'DPoP',
    cnf: { jkt },
    exp: now + 300,
    iat: now,
    client_id: CLIENT,
    jti: 'PqS0nXG4SvqzV3S0n4T5wA',
  }),
}

const ANSWER: Shape = {
  claims: ({ issuer, jkt, now }) => ({
    sub: 'f3b8c1f6-1d3e-43f1-a7f0-6a2f6a4b5c6d',
    iss: issuer,
    active: true,
    token_type: 'DPoP',
    client_id: CLIENT,
    aud: CLIENT,
    nbf: now * 1000,
    scope: 'openid orders.read',
    acr_values: null,
    cnf: { jkt },
    exp: now + 300,
    iat: now,
    jti: null,
    username: null,
  }),
}

const ALICE = {
  subject: 'f3b8c1f6-1d3e-43f1-a7f0-6a2f6a4b5c6d',
  client: CLIENT,
  scope: 'openid orders.read',
}
const MACHINE = { client: CLIENT, scope: 'openid orders.read' }

t.test('JWT', async (t) => {
  const stage = await createStage(t, { authority: SERVER, issuer: `audience: ${CLIENT}` })
  answerTokens(t, stage, JWT, [
    { name: 'as it comes', answer: ALICE },
    { name: 'typ in lower case', header: { typ: 'jwt' }, answer: ALICE },
    {
      name: 'with additional_audience',
      claims: { aud: [CLIENT, 'https://api.example.com'] },
      answer: ALICE,
    },
    { name: 'of a machine', claims: { sub: '' }, answer: MACHINE },
    {
      name: 'x5t#S256 beside cnf, which is of the client',
      claims: { 'x5t#S256': 'bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2' },
      answer: ALICE,
    },
    { name: 'refresh token', claims: { typ: 'refresh_token' }, answer: '401 token_type' },
    { name: 'of another client', claims: { aud: 'other' }, answer: '401 token_audience' },
    { name: 'without DPoP', claims: { cnf: null }, answer: '401 token_unbound' },
    {
      name: 'a proof as its client library signs it, iat in milliseconds',
      proof: () => ({ claims: { iat: Date.now() } }),
      answer: '401 proof_premature',
    },
  ])
})

/** The two ways in which its introspection takes credentials. */
for (const method of ['client_secret_basic', 'bearer'] as const) {
  t.test(`opaque token, ${method}`, async (t) => {
    const client = { ...SERVER.client, method }
    const stage = await createStage(t, {
      authority: { ...SERVER, client },
      issuer: introspected({ audience: CLIENT, client }),
    })
    answerTokens(t, stage, ANSWER, [
      { name: 'nbf in milliseconds, null members', answer: ALICE },
      { name: 'of a machine', claims: { sub: '' }, answer: MACHINE },
      { name: 'no nbf', claims: { nbf: null }, answer: ALICE },
      {
        name: 'not valid yet, in milliseconds',
        claims: { nbf: Date.now() + 600_000 },
        answer: '401 token_premature',
      },
      {
        name: 'with additional_audience',
        claims: { aud: [CLIENT, 'https://api.example.com'] },
        answer: ALICE,
      },
      {
        name: 'without DPoP',
        claims: { cnf: null, token_type: 'Bearer' },
        answer: '401 token_unbound',
      },
      { name: 'ended', claims: { active: false }, answer: '401 token_inactive' },
    ])
  })
}

t.test('an answer as JWT that was not asked for, which others had trouble with', async (t) => {
  const stage = await createStage(t, {
    authority: SERVER,
    issuer: introspected({ audience: CLIENT, client: SERVER.client }),
  })
  stage.authority.introspection.signAnswers({ when: 'always', type: 'application/jwt' })
  answerTokens(t, stage, ANSWER, [{ name: 'is refused', answer: '503 issuer_unavailable' }])
})

t.test('credentials that it does not take are answered with 400', async (t) => {
  const stage = await createStage(t, {
    authority: SERVER,
    issuer: introspected({ audience: CLIENT, client: SERVER.client }),
  })
  stage.authority.introspection.behave(400)
  answerTokens(t, stage, ANSWER, [{ name: 'an outage', answer: '503 issuer_unavailable' }])
})
