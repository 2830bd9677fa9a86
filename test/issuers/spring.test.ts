/** Spring Authorization Server: scopes are an array, and nothing but `aud` names the client. */
import t from 'tap'
import { introspected } from '../support/introspected.ts'
import { createStage } from '../support/stage.ts'
import { answerTokens, type Shape } from './server.ts'

const SERVER = {
  alg: 'RS256',
  endpoints: { jwks: '/oauth2/jwks', introspection: '/oauth2/introspect', token: '/oauth2/token' },
  metadata: {
    dpop_signing_alg_values_supported: ['RS256', 'RS384', 'PS256', 'ES256', 'ES384', 'ES512'],
    tls_client_certificate_bound_access_tokens: true,
  },
} as const

const JWT: Shape = {
  header: { typ: undefined },
  claims: ({ issuer, jkt, now }) => ({
    sub: 'alice',
    aud: 'messaging-client',
    nbf: now,
    scope: ['message.read', 'message.write'],
    iss: issuer,
    exp: now + 300,
    iat: now,
    jti: 'a33ec2ad-6d52-4a4c-9b31-9a2a4a5b1c0f',
    cnf: { jkt },
  }),
}

/** A reference token: the claims it would have had as a JWT, and those of RFC 7662. */
const ANSWER: Shape = {
  claims: (facts) => ({
    active: true,
    ...JWT.claims(facts),
    aud: ['messaging-client'],
    client_id: 'messaging-client',
    scope: 'message.read message.write',
    token_type: 'DPoP',
  }),
}

const SCOPE = 'message.read message.write'

t.test('JWT', async (t) => {
  const stage = await createStage(t, { authority: SERVER, issuer: 'audience: messaging-client' })
  answerTokens(t, stage, JWT, [
    { name: 'as it comes', answer: { subject: 'alice', scope: SCOPE } },
    {
      name: 'of a machine, which is its own subject',
      claims: { sub: 'messaging-client', scope: ['message.read'] },
      answer: { subject: 'messaging-client', scope: 'message.read' },
    },
    {
      name: 'customised with an audience of the API',
      claims: { aud: ['messaging-client', 'https://api.example.com'] },
      answer: { subject: 'alice', scope: SCOPE },
    },
    { name: 'of another client', claims: { aud: 'other' }, answer: '401 token_audience' },
    {
      name: 'ID token',
      claims: { azp: 'messaging-client', nonce: 'n-0S6', cnf: undefined, scope: undefined },
      answer: '401 token_type',
    },
    { name: 'without DPoP', claims: { cnf: undefined }, answer: '401 token_unbound' },
  ])
})

t.test('reference token', async (t) => {
  const issuer = introspected({ audience: 'messaging-client' })
  const stage = await createStage(t, { authority: SERVER, issuer })
  const alice = { subject: 'alice', client: 'messaging-client', scope: SCOPE }
  answerTokens(t, stage, ANSWER, [
    { name: 'as it comes', answer: alice },
    {
      name: 'token_type Bearer, as before release 1.5',
      claims: { token_type: 'Bearer' },
      answer: alice,
    },
    {
      name: 'refresh token, whose kind is not told',
      claims: { token_type: undefined, aud: undefined, cnf: undefined },
      answer: '401 token_audience',
    },
  ])
})
