/** atproto's OAuth provider: DIDs as subjects and audiences, URLs as clients. */
import t from 'tap'
import type { Client } from '../support/client.ts'
import { createStage, PUBLIC_URL } from '../support/stage.ts'
import { answerTokens, type Shape } from './server.ts'

const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'ES256', 'ES256K', 'ES384', 'ES512']
const SERVER = {
  alg: 'ES256',
  endpoints: { jwks: '/oauth/jwks', token: '/oauth/token' },
  metadata: {
    introspection_endpoint: undefined,
    client_id_metadata_document_supported: true,
    require_pushed_authorization_requests: true,
    dpop_signing_alg_values_supported: ALGORITHMS,
    request_object_signing_alg_values_supported: [...ALGORITHMS, 'ES256', 'none'],
  },
} as const

const JWT: Shape = {
  header: { typ: 'at+jwt' },
  claims: ({ issuer, jkt, now }) => ({
    jti: 'tok-2f1c0de7a9',
    sub: 'did:plc:ewvi7nxzyoun6zhxrhs64oiz',
    exp: now + 3600,
    iat: now,
    iss: issuer,
    aud: 'did:web:pds.example.com',
    cnf: { jkt },
    scope: 'atproto transition:generic',
    client_id: 'https://app.example.com/oauth/client-metadata.json?v=2',
  }),
}

const ALICE = {
  subject: 'did:plc:ewvi7nxzyoun6zhxrhs64oiz',
  client: 'https://app.example.com/oauth/client-metadata.json?v=2',
  scope: 'atproto transition:generic',
}

const PATH = '/api/com.atproto.repo.getRecord?repo=alice.example.com&collection=app.bsky.feed.post'
const withKid = ({ publicJwk }: Client) => ({ header: { jwk: { ...publicJwk, kid: 'key-1' } } })
const withQuery = () => ({ claims: { htu: PUBLIC_URL + PATH } })

t.test('JWT', async (t) => {
  const stage = await createStage(t, {
    authority: SERVER,
    issuer: 'audience: did:web:pds.example.com',
  })
  answerTokens(t, stage, JWT, [
    { name: 'as it comes', answer: ALICE },
    { name: 'kid in the jwk of the proof', proof: withKid, answer: ALICE },
    { name: 'query in htu', path: PATH, proof: withQuery, answer: ALICE },
    {
      name: 'another path in htu',
      path: PATH,
      proof: () => ({ claims: { htu: `${PUBLIC_URL}/api/com.atproto.repo.putRecord?x` } }),
      answer: '401 proof_target',
    },
    {
      name: 'a client on loopback',
      claims: { client_id: 'http://localhost?scope=atproto' },
      answer: { ...ALICE, client: 'http://localhost?scope=atproto' },
    },
    {
      name: 'of another server',
      claims: { aud: 'did:web:other.example.com' },
      answer: '401 token_audience',
    },
    { name: 'no audience', claims: { aud: undefined }, answer: '401 token_audience' },
    { name: 'without DPoP', claims: { cnf: undefined }, answer: '401 token_unbound' },
  ])
})

t.test('JWT with a reference to the rest, which is not in it', async (t) => {
  const stage = await createStage(t, { authority: SERVER, issuer: 'audience: none' })
  answerTokens(t, stage, JWT, [
    {
      name: 'no audience, scope and client',
      claims: { aud: undefined, scope: undefined, client_id: undefined },
      answer: { subject: 'did:plc:ewvi7nxzyoun6zhxrhs64oiz' },
    },
  ])
})
