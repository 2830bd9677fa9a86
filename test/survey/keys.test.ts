import { exportJWK, generateKeyPair } from 'jose'
import t, { type Test } from 'tap'
import { createAuthority } from '../support/jwks-server.ts'
import { introspection, ONE_KEY, survey, TAKEN, type Issuer } from './checked.ts'

t.test('keys that cannot be had', async (t) => {
  const rows = [
    { behaviour: 'empty', says: 'no key to verify with' },
    { behaviour: 'invalid', says: 'the document is not a JWK Set' },
    { behaviour: 'html', says: 'the answer is not a JSON object' },
    { behaviour: 'error', says: 'the answer has status 500' },
    { behaviour: 'redirect', says: 'the answer has status 307' },
  ] as const
  for (const { behaviour, says } of rows) {
    const broken = await createAuthority(t)
    broken.behave(behaviour)
    const authority = await createAuthority(t, { metadata: { jwks_uri: broken.jwksUri } })
    const { code, lines } = await survey(t, authority)
    t.equal(code, 2)
    const [line, ...more] = lines.slice(3)
    t.strictSame(more, [], behaviour)
    t.match(line, `fail  keys: ${broken.jwksUri}: ${says}`)
  }
})

t.test('no jwks_uri', async (t) => {
  const authority = await createAuthority(t, { metadata: { jwks_uri: undefined } })
  const { code, lines } = await survey(t, authority)
  t.equal(code, 2)
  t.equal(lines.at(-1), 'fail  keys: the metadata of the issuer has no jwks_uri')
})

t.test('keys that are left out, and what the others are for', async (t) => {
  const authority = await createAuthority(t)
  const publicJwk = async (alg: string) => exportJWK((await generateKeyPair(alg)).publicKey)
  const ec = await publicJwk('ES256')
  authority.publish([
    { ...(await publicJwk('RS256')), kid: 'r' },
    { ...ec },
    { ...ec, kid: 'e', use: 'enc' },
    { kty: 'oct', k: 'c2VjcmV0', kid: 'o' },
    { ...ec, kid: 'p\n  ok    \u001b[31m', d: 'AA' },
  ])
  const { code, lines } = await survey(t, authority, { algorithms: ['ES256', 'PS256', 'RS256'] })
  t.equal(code, 0)
  t.strictSame(lines.slice(3), [
    'ok    2 keys at AS/jwks: PS256 RS256 (kid r), ES256 (no kid)',
    'note  key e is for encryption; left out',
    'note  key o is symmetric: whoever can verify with it can sign with it; left out',
    'note  key p\u{FFFD}  ok    \u{FFFD}[31m is published with its private part: replace it; left out',
  ])
})

t.test('the algorithms an issuer says it signs with', async (t) => {
  const authority = await createAuthority(t, {
    metadata: {
      access_token_signing_alg_values_supported: ['ES256', 'RS256', 'HS256'],
      id_token_signing_alg_values_supported: ['PS256'],
    },
  })
  const signed = async (t: Test, members: Issuer) => {
    const { code, lines } = await survey(t, authority, members)
    return { code, lines: lines.slice(3) }
  }
  t.strictSame(await signed(t, { algorithms: ['ES256', 'PS256'] }), {
    code: 0,
    lines: ['ok    signs with ES256, of the algorithms configured', ONE_KEY],
  })
  t.strictSame(await signed(t, { algorithms: ['PS256'] }), {
    code: 2,
    lines: [
      'fail  keys: the issuer signs with none of the algorithms configured: PS256',
      'note  says that it signs with ES256, RS256',
    ],
  })
  t.strictSame(
    await signed(t, { algorithms: ['ES256'], jwksUri: authority.jwksUri }),
    { code: 0, lines: [ONE_KEY] },
    'as the gateway, which does not ask then',
  )
})

t.test('an issuer that signs with nothing the gateway knows', async (t) => {
  const metadata = { access_token_signing_alg_values_supported: ['HS256'] }
  const { code, lines } = await survey(t, await createAuthority(t, { metadata }))
  t.equal(code, 2)
  t.equal(lines.at(-1), 'note  says that it signs with none the gateway knows')
})

t.test('keys that nobody needs', async (t) => {
  const authority = await createAuthority(t, { metadata: { jwks_uri: undefined } })
  const always = await survey(t, authority, introspection({}, { always: true }))
  t.equal(always.code, 0)
  t.strictSame(always.lines.slice(2), [
    'note  needs no keys: it is asked about every token, and its answers are plain JSON',
    `${TAKEN} (client_secret_basic)`,
  ])
  const signed = await survey(t, authority, introspection({}, { always: true, response: 'jwt' }))
  t.equal(signed.code, 2)
})
