/** Okta: a custom authorization server, and the org's own one, whose tokens are for Okta alone. */
import t from 'tap'
import { introspected } from '../support/introspected.ts'
import { createStage } from '../support/stage.ts'
import { answerTokens, type Shape } from './server.ts'

const DEFAULT = {
  path: '/oauth2/default',
  alg: 'RS256',
  discovery: 'openid',
  endpoints: { jwks: '/v1/keys', introspection: '/v1/introspect', token: '/v1/token' },
  metadata: {
    dpop_signing_alg_values_supported: ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'],
    introspection_endpoint_auth_methods_supported: [
      'client_secret_basic',
      'private_key_jwt',
      'none',
    ],
  },
} as const

const JWT: Shape = {
  header: { typ: undefined },
  claims: ({ issuer, jkt, now }) => ({
    ver: 1,
    jti: 'AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE',
    iss: issuer,
    aud: 'api://default',
    iat: now,
    exp: now + 3600,
    cid: '0oabucvyc38HLL1ef0h7',
    uid: '00uabucvyc38HLL1ef0h7',
    scp: ['openid', 'orders.read'],
    auth_time: now - 60,
    sub: 'alice@example.com',
    cnf: { jkt },
  }),
}

/** Scopes are a string here, and the client has the RFC's name. */
const ANSWER: Shape = {
  claims: ({ issuer, jkt, now }) => ({
    active: true,
    token_type: 'DPoP',
    scope: 'openid orders.read',
    client_id: '0oabucvyc38HLL1ef0h7',
    username: 'alice@example.com',
    exp: now + 3600,
    iat: now,
    sub: 'alice@example.com',
    aud: 'api://default',
    iss: issuer,
    jti: 'AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE',
    uid: '00uabucvyc38HLL1ef0h7',
    cnf: { jkt },
  }),
}

const ALICE = {
  subject: 'alice@example.com',
  client: '0oabucvyc38HLL1ef0h7',
  scope: 'openid orders.read',
}

t.test('JWT', async (t) => {
  const stage = await createStage(t, { authority: DEFAULT, issuer: 'audience: api://default' })
  answerTokens(t, stage, JWT, [
    { name: 'as it comes', answer: ALICE },
    {
      name: 'of a machine, which is its own subject',
      claims: { sub: '0oabucvyc38HLL1ef0h7', uid: undefined, scp: ['orders.read'] },
      answer: {
        subject: '0oabucvyc38HLL1ef0h7',
        client: '0oabucvyc38HLL1ef0h7',
        scope: 'orders.read',
      },
    },
    {
      name: 'of the org authorization server',
      header: { typ: 'application/okta-internal-at+jwt' },
      answer: '401 token_type',
    },
    {
      name: 'ID token',
      claims: { at_hash: 'preview_at_hash', cid: undefined, scp: undefined },
      answer: '401 token_type',
    },
    { name: 'of another API', claims: { aud: 'api://other' }, answer: '401 token_audience' },
    { name: 'without DPoP', claims: { cnf: undefined }, answer: '401 token_unbound' },
  ])
})

t.test('introspection', async (t) => {
  const issuer = introspected({ audience: 'api://default' })
  const stage = await createStage(t, { authority: DEFAULT, issuer })
  answerTokens(t, stage, ANSWER, [
    { name: 'as it comes', answer: ALICE },
    { name: 'token_type Bearer', claims: { token_type: 'Bearer' }, answer: ALICE },
    { name: 'without DPoP', claims: { cnf: undefined }, answer: '401 token_unbound' },
  ])
})
