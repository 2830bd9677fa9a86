/** What an upstream learns about the caller, signed, with a whole gateway around it. */
import { createRemoteJWKSet, jwtVerify } from 'jose'
import t, { type Test } from 'tap'
import { createAssertionKey } from '../../src/assertion.ts'
import type { Header } from '../support/raw-http.ts'
import { createStage, PUBLIC_URL, type Stage } from '../support/stage.ts'

const HEADER = 'X-Auth-Assertion'
const FORGED = [[HEADER, 'forged']] as const

function stage(t: Test, settings = '') {
  return createStage(t, {
    settings: `identity: { assertion: { audience: orders, claims: [groups] } }\n${settings}`,
    routes: ({ url }) =>
      [
        `- { name: api, path: /api/*, upstream: ${url} }`,
        `- { name: own, path: /own, upstream: ${url}, identity: { assertion: { header: X-Own, audience: own } } }`,
        `- { name: open, path: /open, upstream: ${url}, access: public }`,
        `- { name: seen, path: /seen, upstream: ${url}, observe: true }`,
        `- { name: proven, path: /proven, upstream: ${url}, access: proof }`,
      ].join('\n'),
  })
}

function received({ upstream }: Stage, name = HEADER): readonly string[] | undefined {
  return upstream.requests.at(-1)?.values(name)
}

function verify({ adminPort }: Stage, assertion = '', audience = 'orders') {
  const keys = createRemoteJWKSet(new URL(`http://127.0.0.1:${adminPort}/jwks`))
  return jwtVerify(assertion, keys, {
    ...{ issuer: PUBLIC_URL, audience },
    ...{ typ: 'dpop-gateway-assertion+jwt', algorithms: ['ES256'] },
  })
}

t.test('it says who the caller is, and is verified with the keys of /jwks', async (t) => {
  const gateway = await stage(t)
  const token = await gateway.mint({ groups: ['a', 'b'] })
  await gateway.send({ token })
  const { payload } = await verify(gateway, received(gateway)?.[0])
  t.match(payload, {
    sub: String,
    groups: ['a', 'b'],
    token_iss: gateway.authority.issuer,
    cnf: { jkt: gateway.client.thumbprint },
  })
  t.equal((payload.exp ?? 0) - (payload.iat ?? 0), 30)
  await gateway.send({ path: '/own', token })
  const { payload: own } = await verify(gateway, received(gateway, 'X-Own')?.[0], 'own')
  t.equal(own.sub, payload.sub)
  t.notOk('groups' in own, 'what a route says is said as a whole')
  t.strictSame(received(gateway), [])
})

t.test('one the client has sent is removed on every route', async (t) => {
  const gateway = await stage(t)
  const headers = [...FORGED, ['x-own', 'forged'] as const]
  await gateway.send({ headers })
  t.equal(received(gateway)?.length, 1)
  await verify(gateway, received(gateway)?.[0])
  t.strictSame(received(gateway, 'X-Own'), [])
  for (const path of ['/open', '/seen', '/proven']) {
    const before = gateway.upstream.requests.length
    await gateway.send({
      path,
      headers,
      credentials: path === '/proven' ? await proofOf(gateway) : [],
    })
    t.equal(gateway.upstream.requests.length, before + 1, path)
    t.strictSame(received(gateway), [], path)
    t.strictSame(received(gateway, 'X-Own'), [], path)
  }
})

async function proofOf({ client }: Stage): Promise<readonly Header[]> {
  return [['DPoP', await client.proof({ url: `${PUBLIC_URL}/proven` })]]
}

t.test('a route that observes has one where the request would have got through', async (t) => {
  const gateway = await stage(t)
  await gateway.send({ path: '/seen' })
  await verify(gateway, received(gateway)?.[0])
})

t.test('the keys are published, without their private part', async (t) => {
  const keys = [createAssertionKey(), createAssertionKey()]
  const settings = `assertion: { issuer: the-gateway, keys: ${JSON.stringify(keys)} }`
  const { adminPort, port } = await stage(t, settings)
  const response = await fetch(`http://127.0.0.1:${adminPort}/jwks`)
  t.equal(response.headers.get('content-type'), 'application/jwk-set+json')
  t.equal(response.headers.get('cache-control'), 'max-age=60')
  const text = await response.text()
  const set = JSON.parse(text) as { keys: object[] }
  t.equal(set.keys.length, 2)
  for (const jwk of set.keys) t.notOk('d' in jwk)
  t.equal((await fetch(`http://127.0.0.1:${port}/jwks`)).status, 404, 'not to clients')
})

t.test('a key of one instance alone is warned of', async (t) => {
  const warned = ({ log }: Stage) => log().some(({ msg }) => /^assertion\.keys /.test(String(msg)))
  t.ok(warned(await stage(t)))
  t.notOk(warned(await stage(t, `assertion: { keys: [${JSON.stringify(createAssertionKey())}] }`)))
  t.notOk(warned(await createStage(t)))
})

t.test('what would be too long is refused, but not where a route observes', async (t) => {
  const gateway = await createStage(t, {
    settings: 'identity: { headers: { X-Groups: groups } }',
    server: `  publicUrl: ${PUBLIC_URL}\n  limits: { tokenBytes: 64KiB, headerBytes: 128KiB }`,
    routes: ({ url }) =>
      [
        `- { name: api, path: /api/*, upstream: ${url} }`,
        `- { name: seen, path: /seen, upstream: ${url}, observe: true }`,
      ].join('\n'),
  })
  const whole = await gateway.send({ claims: { groups: 'g'.repeat(8000) } })
  t.equal(whole.status, 200)
  const refused = await gateway.send({ claims: { groups: 'g'.repeat(8001) } })
  t.match(refused, { status: 403, code: 'claim_refused' })
  t.match(gateway.log().at(-1), { detail: 'claim groups: too long to hand on (8001)' })
  const seen = await gateway.send({ path: '/seen', claims: { groups: 'g'.repeat(8001) } })
  t.equal(seen.status, 200)
  t.equal(received(gateway, 'X-Groups')?.[0]?.length, 8001)
})
