/** RFC 9449 §7.2, RFC 6750: routes that take bearer tokens too, and bound ones never as such. */
import t, { type Test } from 'tap'
import { REFUSALS, type DenialCode } from '../../src/denial.ts'
import { introspected } from '../support/introspected.ts'
import { challengesOf } from '../support/challenges.ts'
import type { Header } from '../support/raw-http.ts'
import { createStage, PUBLIC_URL, type Answer, type Stage } from '../support/stage.ts'
import { outcome } from './table.ts'

const routes = ({ url }: { readonly url: string }) => `\
- { name: api, path: /api/*, upstream: ${url}, access: dpop-or-bearer }
- { name: closed, path: /closed, upstream: ${url} }
- name: strict
  path: /strict
  upstream: ${url}
  access: dpop-or-bearer
  scopes: [admin]
  claims: { tenant: acme }
  acr: [mfa]
  maxAuthAge: 10m`

const mixedStage = (t: Test) => createStage(t, { routes })
const scheme = (name: string, token: string): Header => ['Authorization', `${name} ${token}`]
const bearer = (token: string): readonly Header[] => [scheme('Bearer', token)]
const unbound = { cnf: undefined }

const errorOf = (code: DenialCode) => {
  const { error, description } = REFUSALS[code] as { error: string; description: string }
  return `error="${error}", error_description="${description}"`
}

async function sendWithProof(stage: Stage, name: string, token: string): Promise<Answer> {
  const proof = await stage.client.proof({ url: `${PUBLIC_URL}/api/orders`, token })
  return stage.send({ credentials: [scheme(name, token), ['DPoP', proof]] })
}

t.test('#210 a token that is bound to no key passes with the Bearer scheme', async (t) => {
  const stage = await mixedStage(t)
  const token = await stage.mint(unbound)
  for (const name of ['Bearer', 'bearer', 'BEARER', 'bEaReR']) {
    const spoofed: Header = ['X-Auth-Thumbprint', stage.client.thumbprint]
    const answer = await stage.send({ credentials: [scheme(name, token), spoofed] })
    t.equal(outcome(answer), '200', name)
    const received = stage.upstream.requests.at(-1)
    t.strictSame(received?.values('x-auth-subject'), ['alice'])
    t.strictSame(received?.values('x-auth-client'), ['app'])
    t.strictSame(received?.values('x-auth-scope'), ['read write'])
    t.strictSame(received?.values('x-auth-issuer'), [stage.authority.issuer])
    t.strictSame(received?.values('x-auth-thumbprint'), [], 'no key was proven')
    t.strictSame(received?.values('authorization'), [])
  }
  t.strictSame((await stage.send({ token: await stage.mint() })).status, 200, 'so does a bound one')
  t.strictSame(stage.upstream.requests.at(-1)?.values('x-auth-thumbprint'), [
    stage.client.thumbprint,
  ])
})

t.test('#1 #7 a bound token passes with its proof, the scheme in any case', async (t) => {
  const stage = await mixedStage(t)
  for (const name of ['DPoP', 'dpop', 'DPOP']) {
    t.equal(outcome(await sendWithProof(stage, name, await stage.mint())), '200', name)
  }
})

t.test('#5 a bound token is refused with the Bearer scheme', async (t) => {
  const stage = await mixedStage(t)
  const answer = await stage.send({ credentials: bearer(await stage.mint()) })
  t.equal(outcome(answer), '401 token_bound')
  t.strictSame(challengesOf(answer), ['DPoP', `Bearer ${errorOf('token_bound')}`])
  t.match(answer.values('www-authenticate'), [/^DPoP algs="[^"]+"/, /^Bearer error=/])
  t.equal(answer.raw.match(/^www-authenticate:/gim)?.length, 2, 'two lines')
  t.strictSame(stage.upstream.requests, [])
})

t.test('#5 also after it was accepted with its proof, and kept', async (t) => {
  const stage = await mixedStage(t)
  const token = await stage.mint()
  t.equal((await stage.send({ token })).status, 200)
  t.equal(outcome(await stage.send({ credentials: bearer(token) })), '401 token_bound')
  t.equal((await stage.send({ token })).status, 200)
})

t.test(
  '#210 an unbound token that was kept is no DPoP token, nor one for another route',
  async (t) => {
    const stage = await mixedStage(t)
    const token = await stage.mint(unbound)
    t.equal((await stage.send({ credentials: bearer(token) })).status, 200)
    t.equal(outcome(await stage.send({ token })), '401 token_unbound')
    const closed = await stage.send({ path: '/closed', credentials: bearer(token) })
    t.equal(outcome(closed), '401 token_unbound')
    t.strictSame(challengesOf(closed), [`DPoP ${errorOf('token_unbound')}`])
  },
)

t.test('#205 #208 #209 a token that is bound in another way is no bearer token', async (t) => {
  const stage = await mixedStage(t)
  const { thumbprint: jkt, publicJwk: jwk } = stage.client
  const x5t = { 'x5t#S256': jkt }
  for (const cnf of [x5t, { ...x5t, jkt }, { jwk }, { kid: 'k' }, {}, { jkt: '' }, [jkt], jkt]) {
    const answer = await stage.send({ credentials: bearer(await stage.mint({ cnf })) })
    t.equal(outcome(answer), '401 token_unbound', JSON.stringify(cnf))
    t.strictSame(challengesOf(answer), ['DPoP', `Bearer ${errorOf('token_unbound')}`])
  }
  for (const claims of [{ token_type: 'DPoP' }, { token_type: 'dpop' }, { typ: 'DPoP' }]) {
    const token = await stage.mint({ ...unbound, ...claims })
    const answer = await stage.send({ credentials: bearer(token) })
    t.equal(outcome(answer), '401 token_unbound', JSON.stringify(claims))
  }
  t.strictSame(stage.upstream.requests, [])
})

t.test('#5 nor is a bound JWT whose introspection says nothing of it', async (t) => {
  const issuer = introspected({ introspection: { always: true } })
  const stage = await createStage(t, { issuer, routes })
  const { introspection } = stage.authority
  for (const token_type of [undefined, 'Bearer', 'access_token']) {
    const bound = introspection.issue({ ...unbound, token_type }, await stage.mint())
    t.equal(outcome(await stage.send({ credentials: bearer(bound) })), '401 token_unbound')
    const plain = introspection.issue({ ...unbound, token_type }, await stage.mint(unbound))
    t.equal(outcome(await stage.send({ credentials: bearer(plain) })), '200')
  }
})

t.test('#237 nor is one whose introspection says DPoP and not to which key', async (t) => {
  const stage = await createStage(t, { issuer: introspected(), routes })
  const types = { DPoP: '401 token_unbound', Bearer: '200' }
  for (const [type, answer] of Object.entries(types)) {
    const token = stage.issue({ ...unbound, token_type: type })
    t.equal(outcome(await stage.send({ credentials: bearer(token) })), answer, type)
  }
  const bound = stage.issue()
  t.equal(outcome(await stage.send({ credentials: bearer(bound) })), '401 token_bound')
  t.equal(outcome(await stage.send({ token: bound })), '200')
})

t.test('#204 an unbound token with the DPoP scheme', async (t) => {
  const stage = await mixedStage(t)
  const answer = await stage.send({ claims: unbound })
  t.equal(outcome(answer), '401 token_unbound')
  t.strictSame(challengesOf(answer), [`DPoP ${errorOf('token_unbound')}`, 'Bearer'])
})

t.test('#6 #211 the Bearer scheme with a proof', async (t) => {
  const stage = await mixedStage(t)
  for (const [name, claims] of Object.entries({ bound: {}, unbound })) {
    const answer = await sendWithProof(stage, 'Bearer', await stage.mint(claims))
    t.equal(outcome(answer), '400 credentials_mixed', name)
    const error = errorOf('credentials_mixed')
    t.strictSame(challengesOf(answer), [`DPoP ${error}`, `Bearer ${error}`], name)
  }
  t.strictSame(stage.upstream.requests, [])
})

t.test('#15 #16 #25 a token sent twice', async (t) => {
  const stage = await mixedStage(t)
  const [token, other] = [await stage.mint(unbound), await stage.mint()]
  const proof = await stage.client.proof({ url: `${PUBLIC_URL}/api/orders`, token: other })
  const proven: readonly Header[] = [scheme('DPoP', other), ['DPoP', proof]]
  const sent = {
    'Bearer, then DPoP': { credentials: [...bearer(token), ...proven] },
    'DPoP, then Bearer': { credentials: [...proven, ...bearer(token)] },
    'the same twice': { credentials: [...bearer(token), ...bearer(token)] },
    'in the query too': { credentials: bearer(token), path: `/api/x?access_token=${token}` },
  }
  const error = errorOf('credentials_multiple')
  for (const [name, request] of Object.entries(sent)) {
    const answer = await stage.send(request)
    t.equal(outcome(answer), '400 credentials_multiple', name)
    t.strictSame(challengesOf(answer), [`DPoP ${error}`, `Bearer ${error}`], name)
  }
  t.strictSame(stage.upstream.requests, [])
})

t.test('#2 #3 #24 without credentials: both challenges, and no error', async (t) => {
  const stage = await mixedStage(t)
  const proof = await stage.client.proof({ url: `${PUBLIC_URL}/api/orders` })
  for (const credentials of [[], [['DPoP', proof]], [scheme('Basic', 'YTpi')]] as const) {
    const answer = await stage.send({ credentials })
    t.equal(outcome(answer), '401 credentials_missing')
    t.strictSame(challengesOf(answer), ['DPoP', 'Bearer'])
    t.match(answer.values('www-authenticate'), [/^DPoP algs="[^"]+"/, /^Bearer\b/])
  }
  const query = await stage.send({ credentials: [], path: '/api/orders?access_token=x' })
  t.equal(outcome(query), '401 credentials_missing')
  const strict = await stage.send({ credentials: [], path: '/strict' })
  t.strictSame(challengesOf(strict), ['DPoP scope="admin"', 'Bearer scope="admin"'])
})

t.test('scopes, claims and the login hold for a bearer token as well', async (t) => {
  const now = Math.floor(Date.now() / 1000)
  const stage = await createStage(t, { routes, clock: () => now })
  const all = { ...unbound, scope: 'admin', tenant: 'acme', acr: 'mfa', auth_time: now - 600 }
  const rows = [
    ['401 token_expired', { exp: 1 }],
    ['401 token_audience', { aud: 'other' }],
    ['403 scope_insufficient', { scope: 'read' }],
    ['403 claim_refused', { tenant: 'other' }],
    ['401 authentication_insufficient', { acr: 'pwd' }],
    ['401 authentication_insufficient', { auth_time: now - 601 }],
    ['200', {}],
  ] as const
  for (const [expected, claims] of rows) {
    const token = await stage.mint({ ...all, ...claims })
    const answer = await stage.send({ path: '/strict', credentials: bearer(token) })
    t.equal(outcome(answer), expected)
    if (answer.status === 401) t.match(challengesOf(answer), [/^DPoP$/, /^Bearer error="/])
    if (expected === '403 scope_insufficient') {
      const error = `${errorOf('scope_insufficient')}, scope="admin"`
      t.strictSame(challengesOf(answer), ['DPoP scope="admin"', `Bearer ${error}`])
    }
  }
  t.equal(stage.upstream.requests.length, 1)
})
