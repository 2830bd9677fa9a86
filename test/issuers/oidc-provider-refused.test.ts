/** What of node-oidc-provider the gateway refuses, or is refused: with a real one and a real client. */
import t from 'tap'
import { createProviderStage } from './oidc-provider-stage.ts'
import { RESOURCE, SCOPE, SECRET, type Question } from './oidc-provider.ts'

t.test('credentials that are not taken, or do not suffice', async (t) => {
  const answers = [
    [{ clientId: 'gateway-basic', clientSecret: 'other' }, '503 issuer_unavailable'],
    [{ clientId: 'app', clientSecret: SECRET }, '401 token_inactive'],
  ] as const
  for (const [credentials, answer] of answers) {
    const stage = await createProviderStage(t, {
      introspection: {},
      auth: () => ({ method: 'client_secret_basic', ...credentials }),
    })
    t.equal(await stage.send(await stage.client.requestToken(RESOURCE.opaque)), answer)
    t.equal(stage.server.questions.length, 1)
  }
})

t.test('signed answers that the provider does not give', async (t) => {
  const stage = await createProviderStage(t, { introspection: { response: 'jwt' } })
  const token = await stage.client.requestToken(RESOURCE.opaque)
  t.equal(await stage.send(token), '503 issuer_unavailable')
  t.match(stage.messages().join('\n'), /no signed JWT, but of type application\/json/)
})

t.test('always: the provider knows nothing of its JWTs', async (t) => {
  const stage = await createProviderStage(t, { introspection: { always: true } })
  const { client, server } = stage
  t.strictSame(stage.discovered, ['/.well-known/oauth-authorization-server'], 'no keys needed')
  const token = await client.requestToken(RESOURCE.jwt)
  t.equal(await stage.send(token), '401 token_inactive')
  t.match(server.questions, [{ status: 400, body: { error: 'unsupported_token_type' } }])
  t.equal(await stage.send(await client.requestToken(RESOURCE.opaque)), '200')
  const failure = await client.revoke(token).catch((error: unknown) => error)
  t.match(failure, { error: 'unsupported_token_type' }, 'nor can one be revoked')
})

t.test('made-up JWTs shut nobody out', async (t) => {
  const stage = await createProviderStage(t, { introspection: {} })
  const { client, server } = stage
  const segment = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  for (const n of Array.from({ length: 10 }).keys()) {
    const token = `${segment({ alg: 'none' })}.${segment({ n })}.x`
    t.equal(await stage.send(token), '401 token_inactive')
  }
  t.equal(server.questions.length, 10)
  t.equal(await stage.send(await client.requestToken(RESOURCE.opaque)), '200')
})

/** As it is, but for the times in it. */
function timeless({ body }: Question): unknown {
  const { exp, iat, ...rest } = body as Record<string, unknown>
  return { ...rest, lifetime: Number(exp) - Number(iat) }
}

t.test('#212 a refresh token that is bound like the access token', async (t) => {
  const issuer = { audience: 'none', tokenType: 'strict' }
  const stage = await createProviderStage(t, { issuer, introspection: {} })
  const { client, server } = stage
  const { access, refresh } = await client.requestUserTokens()
  t.equal(await stage.send(access), '200')
  t.strictSame(stage.upstream.requests[0]?.values('x-auth-subject'), ['alice'])
  t.equal(await stage.send(refresh), '401 token_type')
  t.equal(stage.upstream.requests.length, 1)
  const common = {
    active: true,
    sub: 'alice',
    client_id: 'public-app',
    iss: server.issuer,
    cnf: { jkt: client.thumbprint },
  }
  t.strictSame(server.questions.map(timeless), [
    { ...common, lifetime: 600, scope: 'openid offline_access', token_type: 'DPoP' },
    { ...common, lifetime: 1200, scope: `openid offline_access ${SCOPE}` },
  ])
})

t.test('#212 a refresh token is for no audience', async (t) => {
  const issuer = { tokenType: 'compatible' }
  const stage = await createProviderStage(t, { issuer, introspection: {} })
  const { access, refresh } = await stage.client.requestUserTokens(RESOURCE.opaque)
  t.equal(await stage.send(access), '200')
  t.strictSame(stage.upstream.requests[0]?.values('x-auth-scope'), [SCOPE])
  t.equal(await stage.send(refresh), '401 token_audience')
})
