import { exportPKCS8, generateKeyPair } from 'jose'
import t from 'tap'
import { createAuthority } from '../support/jwks-server.ts'
import { GATEWAY } from '../support/registered-client.ts'
import { introspection, METADATA, ONE_KEY, survey, TAKEN, type Issuer } from './checked.ts'

/** As the gateway is registered, but for its method. */
const by = (method: string, more: Issuer = {}) =>
  method === 'none' ? { introspection: { auth: { method } } } : introspection({ method, ...more })

const METHODS = ['client_secret_basic', 'client_secret_post', 'bearer', 'none'] as const

t.test('an issuer that is as it should be', async (t) => {
  for (const method of METHODS) {
    const authority = await createAuthority(t, {
      client: { method },
      metadata: { dpop_signing_alg_values_supported: ['ES256', 'RS256'] },
    })
    const { code, lines } = await survey(t, authority, by(method))
    t.strictSame(
      { code, lines },
      {
        code: 0,
        lines: [
          `ok    metadata from ${METADATA}`,
          'note  supports DPoP, with proofs signed by ES256, RS256',
          ONE_KEY,
          `${TAKEN} (${method})`,
        ],
      },
    )
    const tokens = authority.introspection.requests.map(({ form }) => form.get('token') ?? '')
    t.match(tokens, [/^[\w-]{43}$/])
    t.equal(tokens.length, 1)
    t.notMatch(lines.join(), tokens[0])
  }
})

t.test('private_key_jwt', async (t) => {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  const client = { method: 'private_key_jwt', publicKey } as const
  const authority = await createAuthority(t, { client })
  const pem = await exportPKCS8(privateKey)
  const auth = { method: client.method, clientId: GATEWAY.id, privateKey: pem }
  const { lines, code } = await survey(t, authority, { introspection: { auth } })
  t.equal(code, 0)
  t.equal(lines.at(-1), `${TAKEN} (private_key_jwt)`)
  t.notMatch(lines.join(), 'PRIVATE KEY')
})

t.test('signed answers', async (t) => {
  const authority = await createAuthority(t)
  const members = introspection({}, { response: 'jwt' })
  const { code, lines } = await survey(t, authority, members)
  t.equal(code, 0)
  t.strictSame(lines.slice(2), [ONE_KEY, `${TAKEN} (client_secret_basic)`])
  authority.introspection.signAnswers({ when: 'never' })
  const plain = await survey(t, authority, members)
  t.equal(plain.code, 2)
  t.match(plain.lines.at(-1), 'fail  introspection: AS/introspect: the answer is no signed JWT')
})

const REFUSED = 'the issuer does not take the credentials of the gateway'

t.test('introspection that would fail', async (t) => {
  const rows = [
    { behaviour: 400, says: `the answer has status 400: ${REFUSED}` },
    { behaviour: 403, says: `the answer has status 403: ${REFUSED}` },
    { behaviour: 404, says: 'the answer has status 404' },
    { behaviour: 500, says: 'the answer has status 500' },
    { behaviour: 'hang', says: 'no complete answer in time' },
    { behaviour: 'html', says: 'the answer is not a JSON object' },
    { behaviour: 'array', says: 'the answer is not a JSON object' },
  ] as const
  for (const { behaviour, says } of rows) {
    const authority = await createAuthority(t)
    authority.introspection.behave(behaviour)
    const { code, lines } = await survey(t, authority, introspection({}, { timeout: '200ms' }))
    t.equal(code, 2)
    t.strictSame(lines.slice(2), [ONE_KEY, `fail  introspection: AS/introspect: ${says}`])
  }
})

t.test('no introspection endpoint', async (t) => {
  const authority = await createAuthority(t, { metadata: { introspection_endpoint: undefined } })
  const { code, lines } = await survey(t, authority, introspection())
  t.equal(code, 2)
  t.equal(
    lines.at(-1),
    'fail  introspection: the metadata of the issuer has no introspection_endpoint',
  )
})

t.test('an endpoint that vouches for whatever it is asked', async (t) => {
  const authority = await createAuthority(t)
  // A server that answers from elsewhere, and says the same of every token.
  const other = await createAuthority(t, { metadata: { active: true } })
  const endpoint = METADATA.replace('AS', other.issuer)
  const { code, lines } = await survey(t, authority, introspection({}, { endpoint }))
  t.equal(code, 2)
  t.equal(
    lines.at(-1),
    `fail  introspection at ${endpoint} vouches for a made-up token: it must not be used`,
  )
})

const FOR_TOKENS = { token_endpoint_auth_methods_supported: ['client_secret_post', 'none'] }

/** What the issuer says it takes at its introspection endpoint. */
const forAnswers = (...methods: readonly string[]) => ({
  introspection_endpoint_auth_methods_supported: methods,
})

t.test(
  'credentials that are not taken, and a hint where the issuer says what it takes',
  async (t) => {
    const refused = `fail  introspection: AS/introspect: the answer has status 401: ${REFUSED}`
    const noToken = 'fail  introspection: AS/token: no token for the gateway itself, status 401'
    const hint = (where: string, methods: string) =>
      `note  says that ${where} takes ${methods}, not client_secret_basic (auth.method)`
    const rows: readonly (readonly [metadata: Issuer, method: string, lines: readonly string[]])[] =
      [
        [{}, 'client_secret_basic', [refused]],
        [{ ...FOR_TOKENS, ...forAnswers('client_secret_basic') }, 'client_secret_basic', [refused]],
        [
          { ...FOR_TOKENS, ...forAnswers('private_key_jwt', 'Bearer') },
          'client_secret_basic',
          [refused, hint('introspection', 'private_key_jwt, Bearer')],
        ],
        [
          FOR_TOKENS,
          'client_secret_basic',
          [refused, hint('introspection', 'client_secret_post, none')],
        ],
        [
          { ...FOR_TOKENS, ...forAnswers('client_secret_basic') },
          'bearer',
          [noToken, hint('its token endpoint', 'client_secret_post, none')],
        ],
        [FOR_TOKENS, 'none', [refused]],
      ]
    for (const [metadata, method, expected] of rows) {
      const authority = await createAuthority(t, { metadata })
      const { code, lines } = await survey(t, authority, by(method, { clientSecret: 'wr0ng' }))
      t.equal(code, 2)
      t.strictSame(lines.slice(3), expected)
      t.notMatch(lines.join(), 'wr0ng')
    }
  },
)
