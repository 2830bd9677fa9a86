import t from 'tap'
import { createAuthority } from '../support/jwks-server.ts'
import { introspection, METADATA, NO_DPOP, ONE_KEY, OPENID, survey, TAKEN } from './checked.ts'

const MISSING = `${METADATA}: the answer has status 404; ${OPENID}: the answer has status 404`

t.test('metadata of OpenID Connect, and opaque tokens that would be refused', async (t) => {
  const authority = await createAuthority(t, { path: '/tenant', discovery: 'openid' })
  t.strictSame(await survey(t, authority), {
    code: 0,
    lines: [
      `ok    metadata from ${OPENID}`,
      NO_DPOP,
      'note  its opaque tokens are refused unless introspection is configured (AS/introspect)',
      ONE_KEY,
    ],
  })
})

t.test('a trailing slash that differs', async (t) => {
  const { issuer } = await createAuthority(t)
  t.strictSame(await survey(t, { issuer: `${issuer}/` }, introspection(), issuer), {
    code: 2,
    lines: [
      `fail  metadata: ${METADATA}: the issuer differs by its trailing slash: configure it as AS; ` +
        `${OPENID}: the answer has status 404`,
      'note  keys not tried without the metadata: mend that, or set jwksUri if there is none',
      'note  introspection not tried without the metadata: mend that, or set introspection.endpoint if there is none',
    ],
  })
})

t.test('no metadata', async (t) => {
  // Its metadata is that of a tenant.
  const { issuer, jwksUri, introspectionUri, tokenUri } = await createAuthority(t, {
    path: '/tenant',
    client: { method: 'bearer' },
  })
  const origin = { issuer: new URL(issuer).origin }
  const bearer = { method: 'bearer' }
  const endpoint = introspectionUri
  const found = (line: string) => line.replace('AS', 'AS/tenant')

  t.test('and none is needed', async (t) => {
    const auth = { ...bearer, tokenEndpoint: tokenUri }
    t.strictSame(await survey(t, origin, { jwksUri, ...introspection(auth, { endpoint }) }), {
      code: 0,
      lines: [
        `note  no metadata, and none is needed: ${MISSING}`,
        found(ONE_KEY),
        `${found(TAKEN)} (bearer)`,
      ],
    })
  })

  t.test('needed for the keys alone', async (t) => {
    const auth = { ...bearer, tokenEndpoint: tokenUri }
    t.strictSame(await survey(t, origin, introspection(auth, { endpoint })), {
      code: 2,
      lines: [
        `fail  metadata: ${MISSING}`,
        'note  keys not tried without the metadata: mend that, or set jwksUri if there is none',
        `${found(TAKEN)} (bearer)`,
      ],
    })
  })

  t.test('needed for an endpoint alone', async (t) => {
    t.strictSame(await survey(t, origin, { jwksUri, ...introspection(bearer, { endpoint }) }), {
      code: 2,
      lines: [
        `fail  metadata: ${MISSING}`,
        found(ONE_KEY),
        'note  introspection not tried without the metadata: mend that, or set ' +
          'introspection.endpoint and auth.tokenEndpoint if there is none',
      ],
    })
  })
})

t.test('metadata that does not come', async (t) => {
  const authority = await createAuthority(t)
  authority.behave('hang')
  const { code, lines } = await survey(t, authority)
  t.equal(code, 2)
  t.match(lines[0], /^fail {2}metadata: \S+: no complete answer in time; /)
})
