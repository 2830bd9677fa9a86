/** Group H, #240 and #246: how the gateway says who it is where it introspects. */
import { exportJWK, exportPKCS8, generateKeyPair } from 'jose'
import t from 'tap'
import { introspected } from '../support/introspected.ts'
import { GATEWAY } from '../support/registered-client.ts'
import { createStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { outcome, sendRow } from './table.ts'

/** pino's number for it. */
const ERROR = 50

const sendOpaque = async (stage: Stage) => outcome(await sendRow(stage, { token: stage.issue() }))

t.test('the question', async (t) => {
  const stage = await createStage(t, { issuer: introspected() })
  const token = stage.issue()
  await sendRow(stage, { token })
  const [question] = stage.authority.introspection.requests
  t.strictSame(
    [...(question?.form ?? [])],
    [
      ['token', token],
      ['token_type_hint', 'access_token'],
    ],
  )
  t.match(question, { method: 'POST', headers: { accept: 'application/json' } })
})

const SECRETS = ['s3cret', 'a:b', ':', '100%', '%2B', 'a+b', 'a b', 'ü&=#?/', "~!*'()"]

for (const method of ['client_secret_basic', 'client_secret_post'] as const) {
  t.test(`#246 ${method}`, async (t) => {
    for (const secret of SECRETS) {
      for (const id of ['gateway', `https://gw.example:8443/${secret}`]) {
        const client = { method, id, secret }
        const stage = await createStage(t, {
          authority: { client },
          issuer: introspected({ client }),
        })
        t.equal(await sendOpaque(stage), '200', `${id} with ${secret}`)
      }
    }
  })
}

t.test('none', async (t) => {
  const client = { method: 'none' } as const
  const stage = await createStage(t, { authority: { client }, issuer: introspected({ client }) })
  t.equal(await sendOpaque(stage), '200')
})

t.test('private_key_jwt', async (t) => {
  const method = 'private_key_jwt'
  for (const alg of ['ES256', 'ES384', 'RS256', 'PS256', 'EdDSA'] as const) {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
    const pem = await exportPKCS8(privateKey)
    const jwk = JSON.stringify({ ...(await exportJWK(privateKey)), kid: 'gw-1', alg })
    const auths = [{ privateKey: pem, algorithm: alg, keyId: 'gw-1' }, { privateKey: jwk }]
    for (const auth of auths) {
      const client = { method, publicKey } as const
      const issuer = introspected({ client, auth })
      const stage = await createStage(t, { authority: { client }, issuer })
      t.strictSame(
        [await sendOpaque(stage), await sendOpaque(stage)],
        ['200', '200'],
        `${alg}: an assertion for each question`,
      )
      const assertion = stage.authority.introspection.requests[0]?.form.get('client_assertion')
      const [header = ''] = assertion?.split('.') ?? []
      t.match(JSON.parse(Buffer.from(header, 'base64url').toString()), { alg, kid: 'gw-1' })
    }
  }
})

t.test('private_key_jwt for another audience', async (t) => {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  const audience = 'https://as.example/token'
  const client = { method: 'private_key_jwt', publicKey, audience } as const
  const auth = { privateKey: await exportPKCS8(privateKey) }
  const send = async (more: Readonly<Record<string, string>>) => {
    const issuer = introspected({ client, auth: { ...auth, ...more } })
    return sendOpaque(await createStage(t, { authority: { client }, issuer }))
  }
  t.equal(await send({ audience }), '200')
  t.equal(await send({}), '503 issuer_unavailable')
})

const BEARER = { method: 'bearer' } as const

t.test('bearer: one token of its own for many questions', async (t) => {
  const issuer = introspected({ client: BEARER, auth: { scope: 'introspect' } })
  const stage = await createStage(t, { authority: { client: BEARER }, issuer })
  const { introspection, tokenEndpoint } = stage.authority
  const all = await Promise.all(Array.from({ length: 20 }, () => sendOpaque(stage)))
  t.strictSame([...new Set(all)], ['200'])
  t.strictSame(
    tokenEndpoint.requests.map(({ form }) => Object.fromEntries(form)),
    [{ grant_type: 'client_credentials', scope: 'introspect' }],
  )
  t.equal(introspection.requests.length, 20)
})

t.test('bearer: renewed before it expires', async (t) => {
  const stage = await createStage(t, {
    authority: { client: BEARER, metadata: { token_endpoint: undefined } },
    issuer: ({ tokenUri }) => introspected({ client: BEARER, auth: { tokenEndpoint: tokenUri } }),
  })
  const { introspection, tokenEndpoint } = stage.authority
  tokenEndpoint.setLifetime(1)
  const outcomes = new Set<string>()
  await until(async () => {
    outcomes.add(await sendOpaque(stage))
    return tokenEndpoint.requests.length === 2
  })
  t.strictSame([...outcomes], ['200'])
  const used = new Set(introspection.requests.map(({ headers }) => headers.authorization))
  t.equal(used.size, 2)
})

t.test('bearer: replaced when it is refused', async (t) => {
  const stage = await createStage(t, {
    authority: { client: BEARER },
    issuer: introspected({ client: BEARER }),
  })
  const { tokenEndpoint } = stage.authority
  tokenEndpoint.setLifetime(undefined)
  t.equal(await sendOpaque(stage), '200')
  tokenEndpoint.invalidate()
  await until(async () => (await sendOpaque(stage)) === '200', 10_000)
  t.equal(tokenEndpoint.requests.length, 2)
})

for (const behaviour of [400, 401, 503, 'hang', 'html', 'array', 'redirect'] as const) {
  t.test(`#240 bearer: the token endpoint answers with ${behaviour}`, async (t) => {
    const stage = await createStage(t, {
      authority: { client: BEARER },
      issuer: introspected({ client: BEARER, introspection: { timeout: '500ms' } }),
    })
    const { introspection, tokenEndpoint, requests } = stage.authority
    tokenEndpoint.behave(behaviour)
    t.equal(await sendOpaque(stage), '503 issuer_unavailable')
    t.equal(introspection.requests.length, 0)
    t.equal(requests.elsewhere, 0, 'no redirect is followed with the secret')
    tokenEndpoint.behave('ok')
    t.equal(await sendOpaque(stage), '200')
  })
}

t.test('#240 bearer: the secret is refused', async (t) => {
  const stage = await createStage(t, {
    authority: { client: BEARER },
    issuer: introspected({ client: { ...BEARER, secret: 'wr0ng' } }),
  })
  t.equal(await sendOpaque(stage), '503 issuer_unavailable')
  const line = stage.log().find(({ level }) => level === ERROR)
  t.match(line, { msg: /no token for the gateway itself, status 401/ })
  t.notMatch(JSON.stringify(stage.log()), 'wr0ng')
})

for (const [name, settings] of [
  ['another secret', { client: { secret: 'wr0ng' } }],
  ['another client', { client: { id: 'other' } }],
  ['another method', { client: { method: 'client_secret_post' } }],
  ['no credentials', { client: { method: 'none' } }],
] as const) {
  t.test(`#240 ${name}: our mistake, and not that of a client`, async (t) => {
    const stage = await createStage(t, { issuer: introspected(settings) })
    const token = stage.issue()
    const answer = await sendRow(stage, { token })
    t.equal(outcome(answer), '503 issuer_unavailable')
    t.strictSame(answer.values('www-authenticate'), [])
    const log = stage.log()
    t.match(
      log.find(({ level }) => level === ERROR),
      { issuer: 'main', msg: /introspection failed: .*status 401: .*credentials/ },
    )
    t.match(
      log.find(({ code }) => code === 'issuer_unavailable'),
      { detail: /status 401/ },
    )
    const text = JSON.stringify(log)
    for (const hidden of [token, GATEWAY.secret, 'wr0ng', 'Basic ']) t.notMatch(text, hidden)
    t.notMatch(answer.body, /status|credentials/)
  })
}
