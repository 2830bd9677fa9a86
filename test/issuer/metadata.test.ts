import t from 'tap'
import { isSafeToFetch } from '../../src/issuer/request.ts'
import { discover, readEndpoint, readSigningAlgorithms } from '../../src/issuer/metadata.ts'
import { createAuthority } from '../support/jwks-server.ts'

const options = () => ({ allowHttp: false, timeoutMs: 1_000, maxBytes: 65_536 })

t.test('RFC 8414 §3.1 the location goes between host and path', async (t) => {
  for (const path of ['', '/tenant', '/a/b']) {
    const authority = await createAuthority(t, { path })
    const { metadata } = await discover(authority.issuer, options())
    t.equal(metadata['jwks_uri'], authority.jwksUri, path)
    t.equal(metadata['issuer'], authority.issuer, path)
  }
})

t.test('OpenID Connect Discovery §4 the location goes after the path', async (t) => {
  for (const path of ['', '/tenant']) {
    const authority = await createAuthority(t, { path, discovery: 'openid' })
    const { metadata } = await discover(authority.issuer, options())
    t.equal(metadata['jwks_uri'], authority.jwksUri, path)
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

t.test('an endpoint is looked at when it is needed', async (t) => {
  const unsafe = ['http://as.example.com/introspect', 'file:///etc/passwd', '/introspect', 7]
  for (const introspection_endpoint of unsafe) {
    const authority = await createAuthority(t, { metadata: { introspection_endpoint } })
    const { metadata } = await discover(authority.issuer, options())
    t.equal(readEndpoint(metadata, 'jwks_uri', false), authority.jwksUri)
    t.throws(() => readEndpoint(metadata, 'introspection_endpoint', false), {
      message: 'introspection_endpoint in the metadata of the issuer is not an https URL',
    })
  }
  t.equal(readEndpoint({ jwks_uri: 'http://as.test/' }, 'jwks_uri', true), 'http://as.test/')
  for (const jwks_uri of [null, undefined]) {
    t.throws(() => readEndpoint({ jwks_uri }, 'jwks_uri', false), {
      message: 'the metadata of the issuer has no jwks_uri',
    })
  }
})

t.test('the algorithms an issuer says it signs with', async (t) => {
  const read = (metadata: object) => readSigningAlgorithms({ ...metadata })
  t.equal(read({ id_token_signing_alg_values_supported: ['RS256'] }), undefined)
  t.equal(read({ access_token_signing_alg_values_supported: 'ES256' }), undefined)
  t.strictSame(
    [...(read({ access_token_signing_alg_values_supported: ['ES256', 'none', 'ES256', 7] }) ?? [])],
    ['ES256'],
  )
  t.strictSame(
    [
      ...(read({
        access_token_signing_alg_values_supported: ['EdDSA'],
        introspection_signing_alg_values_supported: ['PS256', 'PS256'],
      }) ?? []),
    ],
    ['EdDSA', 'PS256', 'Ed25519'],
  )
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
