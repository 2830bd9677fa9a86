/** docs/cases.md rows 27, 36, 111, 248 and 249: what the upstream sees of a request. */
import t from 'tap'
import type { Header } from '../support/raw-http.ts'
import { createStage } from '../support/stage.ts'

interface Row {
  readonly name: string
  readonly sent: readonly Header[]
  /** What arrives of the fields with these names. */
  readonly seen: Readonly<Record<string, readonly string[]>>
}

// prettier-ignore
const FIELDS: readonly Row[] = [
  { name: 'a field of the client', sent: [['X-Any', 'a'], ['x-any', 'b']], seen: { 'x-any': ['a', 'b'] } },
  { name: 'bytes beyond ASCII', sent: [['X-Any', 'é']], seen: { 'x-any': ['Ã©'] } },
  { name: 'cookies', sent: [['Cookie', 'a=b']], seen: { cookie: ['a=b'] } },
  { name: '#248 an identity field', sent: [['X-Auth-Subject', 'root']], seen: { 'x-auth-subject': ['alice'] } },
  { name: '#248 an identity field twice, in another case', sent: [['x-auth-SUBJECT', 'root'], ['X-AUTH-subject', 'root']], seen: { 'x-auth-subject': ['alice'] } },
  { name: '#248 an identity field without a value of ours', sent: [['X-Auth-Tenant', 'acme']], seen: { 'x-auth-tenant': [] } },
  { name: '#248 an identity field of another route', sent: [['X-Other-Route', 'root']], seen: { 'x-other-route': [] } },
  { name: '#248 an underscore for a hyphen', sent: [['X_Auth_Subject', 'root'], ['x-auth_subject', 'root']], seen: { x_auth_subject: [], 'x-auth_subject': [], 'x-auth-subject': ['alice'] } },
  { name: '#248 a dot for a hyphen', sent: [['X.Auth.Subject', 'root']], seen: { 'x.auth.subject': [] } },
  { name: 'names of other characters that HTTP allows', sent: [['X-A~b', '1'], ["X-A'b", '1'], ['X-A!b', '1']], seen: { 'x-a~b': [], "x-a'b": [], 'x-a!b': [] } },
  { name: '#248 Connection nominates an identity field', sent: [['Connection', 'close, X-Auth-Subject']], seen: { 'x-auth-subject': ['alice'] } },
  { name: '#248 Connection nominates what the gateway sets', sent: [['Connection', 'Via, X-Forwarded-For, X-Forwarded-Proto, X-Request-Id']], seen: { via: ['1.1 dpop-gateway'], 'x-forwarded-for': ['127.0.0.1'], 'x-forwarded-proto': ['http'] } },
  { name: 'Connection nominates a field of the client', sent: [['Connection', 'X-Any'], ['connection', 'x-More'], ['X-Any', 'a'], ['X-More', 'b']], seen: { 'x-any': [], 'x-more': [], connection: ['keep-alive'] } },
  { name: 'hop-by-hop fields', sent: [['Keep-Alive', 'timeout=1'], ['TE', 'trailers'], ['Trailer', 'X'], ['Proxy-Connection', 'close'], ['Upgrade', 'h2c']], seen: { 'keep-alive': [], te: [], trailer: [], 'proxy-connection': [], upgrade: [] } },
  { name: '#249 Authorization and DPoP', sent: [], seen: { authorization: [], dpop: [] } },
  { name: '#27 Proxy-Authorization', sent: [['Proxy-Authorization', 'Basic YTpi']], seen: { 'proxy-authorization': [] } },
  { name: '#111 another method', sent: [['X-HTTP-Method-Override', 'DELETE'], ['X-HTTP-Method', 'DELETE'], ['X-Method-Override', 'DELETE']], seen: { 'x-http-method-override': [], 'x-http-method': [], 'x-method-override': [] } },
  { name: 'another URL', sent: [['X-Original-URL', '/admin'], ['X-Rewrite-URL', '/admin'], ['X-Original-Host', 'a']], seen: { 'x-original-url': [], 'x-rewrite-url': [], 'x-original-host': [] } },
  { name: 'CVE-2016-5385 a proxy for CGI programs', sent: [['Proxy', 'http://evil.example']], seen: { proxy: [] } },
  { name: 'Via goes on', sent: [['Via', '1.0 a'], ['Via', '1.1 b']], seen: { via: ['1.0 a, 1.1 b, 1.1 dpop-gateway'] } },
  { name: '#145 forwarded fields of somebody untrusted', sent: [['X-Forwarded-For', '10.0.0.1'], ['X-Forwarded-Proto', 'https'], ['X-Forwarded-Host', 'evil'], ['X-Forwarded-Prefix', '/evil'], ['Forwarded', 'for=10.0.0.1'], ['X-Real-IP', '10.0.0.1']], seen: { 'x-forwarded-for': ['127.0.0.1'], 'x-forwarded-proto': ['http'], 'x-forwarded-prefix': [], forwarded: [], 'x-real-ip': [] } },
  { name: 'Host', sent: [['Host', 'api.example.com']], seen: { 'x-forwarded-host': ['api.example.com'] } },
]

const routes = ({ url }: { readonly url: string }) => `\
- name: api
  path: /api/*
  upstream: ${url}
  identity: { headers: { X-Auth-Subject: sub, X-Auth-Tenant: tenant } }
- name: other
  path: /other
  upstream: ${url}
  identity: { headers: { X-Other-Route: sub } }
- { name: public, path: /public/*, access: public, upstream: ${url} }
- { name: keep, path: /keep, upstream: ${url}, identity: { token: keep } }
- { name: bearer, path: /bearer, upstream: ${url}, identity: { token: bearer } }
- { name: base, path: /base/*, access: public, upstream: ${url}/v1/ }
- { name: strip, path: /strip/me/*, access: public, upstream: ${url}, stripPrefix: /strip/me }
- { name: both, path: /both, access: public, upstream: ${url}/v1, stripPrefix: /both }`

t.test('fields', async (t) => {
  const { send, upstream } = await createStage(t, { routes })
  for (const { name, sent, seen } of FIELDS) {
    t.equal((await send({ headers: sent })).status, 200, name)
    const received = upstream.requests.at(-1)
    for (const [field, values] of Object.entries(seen)) {
      t.strictSame(received?.values(field), values, `${name}: ${field}`)
    }
    t.strictSame(received?.values('host'), [`127.0.0.1:${upstream.port}`], `${name}: host`)
  }
  await send()
  const id = upstream.requests.at(-1)?.values('x-request-id') ?? []
  t.match(id, [/^[\da-f-]{36}$/], 'one request id')
  await send({ headers: [['X-Request-Id', 'mine']] })
  t.notMatch(upstream.requests.at(-1)?.values('x-request-id'), ['mine'], 'is never the client’s')
})

t.test('#248 identity fields are dropped on a public route as well', async (t) => {
  const { send, upstream } = await createStage(t, { routes })
  const names = ['X-Auth-Subject', 'x-auth-tenant', 'X-Other-Route', 'X_Auth_Subject', 'DPoP']
  const credentials = names.map((name): Header => [name, 'root'])
  t.equal((await send({ path: '/public/x', credentials })).status, 200)
  for (const name of names) t.strictSame(upstream.requests[0]?.values(name), [], name)
})

t.test('#249 the token goes on where the route says so, the proof never', async (t) => {
  const { send, mint, upstream } = await createStage(t, { routes })
  for (const [path, scheme] of [
    ['/keep', 'DPoP'],
    ['/bearer', 'Bearer'],
  ] as const) {
    const token = await mint()
    t.equal((await send({ path, token })).status, 200)
    t.strictSame(upstream.requests.at(-1)?.values('authorization'), [`${scheme} ${token}`])
    t.strictSame(upstream.requests.at(-1)?.values('dpop'), [])
  }
})

const PATHS = [
  { name: 'a base path', path: '/base/x?y', url: '/v1/base/x?y' },
  { name: 'a prefix taken off', path: '/strip/me/x?y', url: '/x?y' },
  { name: 'a prefix taken off, with nothing left', path: '/strip/me/', url: '/' },
  { name: 'a prefix taken off, an empty segment further on', path: '/strip/me/x//y', url: '/x//y' },
  { name: 'both', path: '/both?y', url: '/v1/?y' },
]

t.test('paths', async (t) => {
  const { send, upstream } = await createStage(t, { routes })
  for (const { name, path, url } of PATHS) {
    t.equal((await send({ path, credentials: [] })).status, 200, name)
    t.equal(upstream.requests.at(-1)?.url, url, name)
  }
})

t.test('#147 htu is the path the client calls, not the one the upstream sees', async (t) => {
  const { send, upstream } = await createStage(t, {
    routes: ({ url }) => `- { name: a, path: /a/*, upstream: ${url}/v1, stripPrefix: /a }`,
  })
  t.equal((await send({ path: '/a/x' })).status, 200)
  t.equal(upstream.requests[0]?.url, '/v1/x')
  const proof = { url: 'https://api.example.com/v1/x' }
  t.match(await send({ path: '/a/x', proof }), { status: 401, code: 'proof_target' })
  const internal = { url: `${upstream.url}/v1/x` }
  t.match(await send({ path: '/a/x', proof: internal }), { code: 'proof_target' }, '#146')
})
