import t from 'tap'
import { isSafeToFetch } from '../../src/token/fetch-json.ts'
import { discover } from '../../src/token/metadata.ts'
import { createAuthority } from '../support/jwks-server.ts'

const options = () => ({
  allowHttp: false,
  timeoutMs: 1_000,
  maxBytes: 65_536,
  signal: new AbortController().signal,
})

t.test('RFC 8414 §3.1 the location goes between host and path', async (t) => {
  for (const path of ['', '/tenant', '/a/b']) {
    const authority = await createAuthority(t, { path })
    const metadata = await discover(authority.issuer, options())
    t.equal(metadata.jwks_uri, authority.jwksUri, path)
    t.equal(metadata.issuer, authority.issuer, path)
  }
})

t.test('OpenID Connect Discovery §4 the location goes after the path', async (t) => {
  for (const path of ['', '/tenant']) {
    const authority = await createAuthority(t, { path, discovery: 'openid' })
    const metadata = await discover(authority.issuer, options())
    t.equal(metadata.jwks_uri, authority.jwksUri, path)
  }
})

t.test('RFC 8414 §3.3 another issuer is refused', async (t) => {
  const authority = await createAuthority(t, { metadata: { issuer: 'https://evil.example' } })
  await t.rejects(discover(authority.issuer, options()), {
    message: new RegExp(`issuer "https://evil.example", not of "${authority.issuer}"`),
  })
})

t.test('#220 a trailing slash that differs is named with the right value', async (t) => {
  const authority = await createAuthority(t)
  await t.rejects(discover(`${authority.issuer}/`, options()), {
    message: new RegExp(`differs by its trailing slash: configure it as ${authority.issuer};`),
  })
})

t.test('an endpoint that nobody calls is not looked at', async (t) => {
  const endpoint = 'http://as.example.com/introspect'
  const metadata = { introspection_endpoint: endpoint, token_endpoint: 7 }
  const authority = await createAuthority(t, { metadata })
  t.strictSame(await discover(authority.issuer, options()), {
    issuer: authority.issuer,
    jwks_uri: authority.jwksUri,
  })
})

t.test('metadata without keys', async (t) => {
  const authority = await createAuthority(t, { metadata: { jwks_uri: null } })
  t.equal((await discover(authority.issuer, options())).jwks_uri, undefined)
})

t.test('a jwks_uri that is not https is refused', async (t) => {
  for (const jwks_uri of ['http://as.example.com/jwks', 'file:///etc/passwd', '/jwks', 7]) {
    const authority = await createAuthority(t, { metadata: { jwks_uri } })
    const message = /jwks_uri is not an https URL/
    await t.rejects(discover(authority.issuer, options()), { message }, String(jwks_uri))
  }
})

t.test('both failures are told', async (t) => {
  const authority = await createAuthority(t)
  authority.behave('error')
  await t.rejects(discover(authority.issuer, options()), {
    message: /oauth-authorization-server: .+ 500; .+openid-configuration: .+ 404/,
  })
})

t.test('https only, but for loopback or when allowed', async (t) => {
  for (const host of ['localhost', 'as.localhost', '127.0.0.1', '127.1.2.3', '[::1]']) {
    t.ok(isSafeToFetch(`http://${host}:8080/jwks`, false), host)
  }
  for (const host of ['as.example.com', 'localhost.example.com', '10.0.0.1', '127.0.0.1.nip.io']) {
    t.notOk(isSafeToFetch(`http://${host}/jwks`, false), host)
    t.ok(isSafeToFetch(`http://${host}/jwks`, true), `${host} when allowed`)
    t.ok(isSafeToFetch(`https://${host}/jwks`, false), `${host} over https`)
  }
  for (const url of ['ftp://localhost/', 'data:,{}', 'jwks', '']) t.notOk(isSafeToFetch(url, true))
})
