/**
 * The gateway with a real authorization server, node-oidc-provider, and a real client, openid-client.
 * The configuration names the issuer and nothing it publishes itself.
 */
import { decodeJwt, decodeProtectedHeader } from 'jose'
import t from 'tap'
import { until } from '../support/until.ts'
import { createProviderStage, createRealClient, outcome } from './oidc-provider-stage.ts'
import { AUDIENCE, RESOURCE, SCOPE, SECRET, type AuthorizationServer } from './oidc-provider.ts'

t.test('JWT for a resource (RFC 8707, RFC 9068)', async (t) => {
  const stage = await createProviderStage(t, { issuer: { tokenType: 'strict' } })
  const { client, server, upstream } = stage
  t.strictSame(stage.discovered, ['/.well-known/oauth-authorization-server', '/jwks'])
  const token = await client.requestToken(RESOURCE.jwt)
  t.equal(decodeProtectedHeader(token).typ, 'at+jwt')
  t.equal(await stage.send(token), '200')

  const received = upstream.requests[0]
  const identity = ['Subject', 'Client', 'Scope', 'Issuer', 'Thumbprint']
  t.strictSame(
    identity.map((name) => received?.values(`X-Auth-${name}`)),
    [['app'], ['app'], [SCOPE], [server.issuer], [client.thumbprint]],
  )
  t.strictSame(received?.values('authorization'), [])
  t.strictSame(received?.values('dpop'), [])

  const replay = await fetch(stage.url, { headers: client.lastHeaders() })
  t.equal(await outcome(replay), '401 proof_replayed')
  const thief = await createRealClient(server)
  t.equal(await stage.send(token, thief), '401 token_key_mismatch')
  t.equal(await stage.send(await client.requestToken()), '401 token_malformed', 'opaque')
  t.equal(upstream.requests.length, 1)
  t.equal(server.questions.length, 0)
})

/** What the provider says about a token by client credentials, whatever its own. */
const ANSWER = { active: true, client_id: 'app', scope: SCOPE, token_type: 'DPoP' }

const AUTHENTICATION = {
  client_secret_basic: () => ({ clientId: 'gateway-basic', clientSecret: SECRET }),
  client_secret_post: () => ({ clientId: 'gateway-post', clientSecret: SECRET }),
  private_key_jwt: ({ privateKey }: AuthorizationServer) => ({
    clientId: 'gateway-key',
    privateKey,
  }),
}

for (const [method, credentials] of Object.entries(AUTHENTICATION)) {
  t.test(`opaque token, ${method}`, async (t) => {
    const stage = await createProviderStage(t, {
      issuer: { audience: 'none', tokenType: 'strict' },
      introspection: { cacheFor: '1h' },
      auth: (server) => ({ method, ...credentials(server) }),
    })
    const { client, server } = stage
    const { clientId } = credentials(server)
    const token = await client.requestToken()
    for (let count = 0; count < 3; count++) t.equal(await stage.send(token), '200')
    t.match(server.questions, [{ clientId, accept: 'application/json', status: 200, body: ANSWER }])
    t.equal(server.questions.length, 1, 'asked once')
    const received = stage.upstream.requests[0]
    t.strictSame(received?.values('x-auth-subject'), [], 'a client has no sub when introspected')
    t.strictSame(received?.values('x-auth-client'), ['app'])
    t.strictSame(received?.values('x-auth-thumbprint'), [client.thumbprint])

    const thief = await createRealClient(server)
    t.equal(await stage.send(token, thief), '401 token_key_mismatch')
    t.equal(server.questions.length, 1, 'whose it is was known')
    t.equal(await stage.send(await client.requestToken()), '200')
    t.equal(server.questions.length, 2, 'another token is another question')
  })
}

t.test('a revoked token is refused after cacheFor', async (t) => {
  const stage = await createProviderStage(t, { introspection: { cacheFor: '300ms' } })
  const token = await stage.client.requestToken(RESOURCE.opaque)
  t.equal(await stage.send(token), '200')
  await stage.client.revoke(token)
  const revokedAt = performance.now()
  let lastPassedAt = revokedAt
  await until(async () => {
    const sentAt = performance.now()
    const answer = await stage.send(token)
    if (answer === '200') lastPassedAt = sentAt
    else t.equal(answer, '401 token_inactive')
    return answer !== '200'
  })
  t.ok(lastPassedAt - revokedAt < 300, `passed until ${lastPassedAt - revokedAt} ms after`)
  t.strictSame(stage.server.questions.at(-1)?.body, { active: false })
})

t.test('with cacheFor 0s it is refused at once', async (t) => {
  const stage = await createProviderStage(t, { introspection: { cacheFor: '0s' } })
  const token = await stage.client.requestToken(RESOURCE.opaque)
  for (let count = 0; count < 3; count++) t.equal(await stage.send(token), '200')
  t.equal(stage.server.questions.length, 3)
  await stage.client.revoke(token)
  t.equal(await stage.send(token), '401 token_inactive')
})

t.test('signed answers (RFC 9701)', async (t) => {
  const introspection = { response: 'jwt' }
  const stage = await createProviderStage(t, { signsAnswers: true, introspection })
  const { server, client } = stage
  const token = await client.requestToken(RESOURCE.opaque)
  t.equal(await stage.send(token), '200')
  const type = 'application/token-introspection+jwt'
  t.match(server.questions, [{ clientId: 'gateway-basic', accept: type, type, status: 200 }])
  const signed = String(server.questions[0]?.body)
  t.match(decodeProtectedHeader(signed), { typ: 'token-introspection+jwt', kid: 'first' })
  t.match(decodeJwt(signed), {
    iss: server.issuer,
    aud: 'gateway-basic',
    token_introspection: { ...ANSWER, aud: AUDIENCE, cnf: { jkt: client.thumbprint } },
  })
  t.equal(await stage.send('unknown'), '401 token_inactive')
  t.equal(server.questions.at(-1)?.type, type, 'a refusal is signed as well')
  t.strictSame(stage.discovered, ['/.well-known/oauth-authorization-server', '/jwks'])
})

t.test('whether answers are signed is what Accept says', async (t) => {
  const introspection = { response: 'json' }
  const stage = await createProviderStage(t, { signsAnswers: true, introspection })
  t.equal(await stage.send(await stage.client.requestToken(RESOURCE.opaque)), '200')
  t.match(stage.server.questions, [{ type: 'application/json', body: ANSWER }])
})

t.test('both kinds of tokens on one route', async (t) => {
  const stage = await createProviderStage(t, { introspection: {} })
  const { client, server } = stage
  t.equal(await stage.send(await client.requestToken(RESOURCE.jwt)), '200')
  t.equal(server.questions.length, 0, 'a JWT is verified with the keys')
  t.equal(await stage.send(await client.requestToken(RESOURCE.opaque)), '200')
  t.equal(server.questions.length, 1)
  t.equal(await stage.send(await client.requestToken()), '401 token_audience', 'for no resource')
})
