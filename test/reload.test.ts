/** Another configuration in place of the one that is served, in one process. */
import { once } from 'node:events'
import t from 'tap'
import { createAuthority } from './support/jwks-server.ts'
import { openRaw, requestText } from './support/raw-http.ts'
import { createStage, PUBLIC_URL } from './support/stage.ts'

const START = 1_800_000_000

/** As the log has it. */
function reasons(log: readonly Readonly<Record<string, unknown>>[]): readonly unknown[] {
  return log.map((line) => line['reason']).filter((reason) => reason !== undefined)
}

t.test(
  'what is under way is finished by the old one, what comes goes by the new one',
  async (t) => {
    const stage = await createStage(t, {
      routes: ({ url }) => `- { name: all, path: /*, access: public, upstream: ${url} }`,
    })
    stage.upstream.behave('slow')
    const connection = await openRaw(stage.port)
    connection.write(requestText(stage.port, { path: '/x' }))
    await once(stage.upstream.server, 'request')
    t.ok(await stage.reload((yaml) => yaml.replace('path: /*', 'path: /y')))
    t.equal((await stage.send({ path: '/x' })).code, 'route_unknown')
    t.match(await connection.read(), { status: 200, body: 'x'.repeat(10), complete: true })
    connection.write(requestText(stage.port, { path: '/x' }))
    t.match(await connection.read(), { status: 404 }, 'the connection stays, the rules change')
  },
)

t.test('issuers that stay keep their keys, and tokens they have verified', async (t) => {
  const stage = await createStage(t)
  t.equal((await stage.send()).status, 200)
  const { jwks, metadata } = stage.authority.requests
  t.ok(await stage.reload((yaml) => yaml.replace('routes:', 'dpop: { maxAge: 50s }\nroutes:')))
  t.equal((await stage.send()).status, 200)
  t.match(stage.authority.requests, { jwks, metadata }, 'nothing was loaded again')
})

t.test('a new issuer has its keys before it counts', async (t) => {
  const stage = await createStage(t)
  const other = await createAuthority(t)
  const token = await other.mint({ cnf: { jkt: stage.client.thumbprint } })
  t.equal((await stage.send({ token })).code, 'token_issuer')
  const more = `issuers:\n  other: { issuer: '${other.issuer}', audience: none }`
  t.ok(await stage.reload((yaml) => yaml.replace('issuers:', more)))
  t.equal((await stage.send({ token })).status, 200)
  t.equal((await stage.send()).status, 200, 'the other one is still there')
})

t.test('an issuer that does not get ready is not taken', async (t) => {
  const stage = await createStage(t)
  const more = `issuers:\n  gone: { issuer: 'http://127.0.0.1:9', audience: none }`
  t.notOk(await stage.reload((yaml) => yaml.replace('issuers:', more)))
  t.match(reasons(stage.log()), [/^issuer gone: /])
  t.equal((await stage.send()).status, 200)
})

t.test('proofs of before are not good for longer than they were remembered', async (t) => {
  let now = START
  const stage = await createStage(t, {
    clock: () => now,
    settings: 'dpop: { maxAge: 60s, clockSkew: 0s }',
  })
  const token = await stage.mint({ exp: START + 3600, iat: START })
  const proofAt = (iat: number) =>
    stage.client.proof({ url: `${PUBLIC_URL}/api/orders`, token, claims: { iat } })
  // Whether it was used is what a store that is to forget it cannot say.
  const before = await proofAt(START)
  t.ok(await stage.reload((yaml) => yaml.replace('maxAge: 60s', 'maxAge: 10m')))
  now += 90
  t.equal((await stage.send({ token, proof: before })).code, 'proof_expired')
  t.equal((await stage.send({ token, proof: await proofAt(now) })).status, 200)
  now += 180
  const later = await proofAt(now - 200)
  t.equal((await stage.send({ token, proof: later })).status, 200, 'later ones may be that old')
})

t.test('reloads that come at once are taken one after the other', async (t) => {
  const stage = await createStage(t)
  const paths = ['/a/*', '/b/*', '/c/*']
  const done = await Promise.all(
    paths.map((path) => stage.reload((yaml) => yaml.replace('path: /api/*', `path: ${path}`))),
  )
  t.strictSame(done, [true, true, true])
  t.equal((await stage.send({ path: '/c/x' })).status, 200)
  t.equal((await stage.send({ path: '/a/x' })).code, 'route_unknown')
})
