import { exportPKCS8, generateKeyPair, jwtVerify, type CryptoKey } from 'jose'
import t from 'tap'
import {
  createNoAuthentication,
  createPrivateKeyJwt,
  createSecretBasic,
  createSecretPost,
  type ClientAuthentication,
} from '../../src/issuer/client-authentication.ts'
import type { AlgorithmName } from '../../src/jws/algorithms.ts'
import { readSigningKey } from '../../src/jws/signing-key.ts'

/** What it adds to a question, and the header fields it gives. */
async function apply(authentication: ClientAuthentication) {
  const form = new URLSearchParams({ token: 'x' })
  const headers = await authentication.apply(form)
  return { headers, form: Object.fromEntries(form), text: form.toString() }
}

/** User and password of Basic, as they are joined (RFC 7617 §2). */
async function pairOf(clientId: string, clientSecret: string): Promise<string> {
  const { headers, form } = await apply(createSecretBasic({ clientId, clientSecret }))
  t.strictSame(form, { token: 'x' }, 'nothing in the form')
  t.strictSame(Object.keys(headers), ['authorization'])
  const [scheme, encoded = ''] = headers['authorization']?.split(' ') ?? []
  t.equal(scheme, 'Basic')
  return Buffer.from(encoded, 'base64').toString('latin1')
}

t.test('RFC 6749 §2.3.1 the example', async (t) => {
  const [clientId, clientSecret] = ['s6BhdRkqt3', '7Fjfp0ZBr1KtDRbnfVdmIw']
  const { headers } = await apply(createSecretBasic({ clientId, clientSecret }))
  t.equal(headers['authorization'], 'Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3')
})

// The encoded forms are written out by hand.
const ENCODED = [
  ['RFC 6749 Appendix B, the example', ' %&+£€', '+%25%26%2B%C2%A3%E2%82%AC'],
  ['#246 a colon', 'a:b', 'a%3Ab'],
  ['#246 a percent sign', '100%', '100%25'],
  ['#246 what looks encoded', '%3A', '%253A'],
  ['#246 a plus sign', 'a+b', 'a%2Bb'],
  ['#246 a space', 'a b', 'a+b'],
  ['#246 ü', 'ü', '%C3%BC'],
  ['#246 beyond 16 bits', '🔑', '%F0%9F%94%91'],
  ['#246 the signs that stay', 'aZ09-._*', 'aZ09-._*'],
  ['#246 a tilde', '~', '%7E'],
  ['#246 a URL', 'https://gw.example:8443/?a=b', 'https%3A%2F%2Fgw.example%3A8443%2F%3Fa%3Db'],
  ['#246 a line end', 'a\r\nb', 'a%0D%0Ab'],
] as const

for (const [name, plain, encoded] of ENCODED) {
  t.test(`client_secret_basic: ${name}`, async (t) => {
    t.equal(await pairOf(plain, 'secret'), `${encoded}:secret`, 'in the id')
    t.equal(await pairOf('gateway', plain), `gateway:${encoded}`, 'in the secret')
  })
}

t.test('client_secret_post: in the form, which is encoded once', async (t) => {
  for (const [name, plain, encoded] of ENCODED) {
    const credentials = { clientId: `id${plain}`, clientSecret: plain }
    const { headers, text } = await apply(createSecretPost(credentials))
    t.strictSame(headers, {})
    t.equal(text, `token=x&client_id=id${encoded}&client_secret=${encoded}`, name)
  }
})

t.test('none: at most the id', async (t) => {
  t.strictSame(await apply(createNoAuthentication('gateway')), {
    headers: {},
    form: { token: 'x', client_id: 'gateway' },
    text: 'token=x&client_id=gateway',
  })
  t.match(await apply(createNoAuthentication(undefined)), { headers: {}, text: 'token=x' })
})

const AS = 'https://as.example'

/** Authenticates as `gateway`, with the public key that verifies what it signs. */
async function assertions(algorithm: AlgorithmName, keyId?: string) {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true })
  const signingKey = readSigningKey(await exportPKCS8(privateKey), algorithm)
  if (typeof signingKey === 'string') throw new Error(signingKey)
  const authentication = createPrivateKeyJwt({
    clientId: 'gateway',
    audience: AS,
    signingKey: { ...signingKey, keyId },
  })
  return { authentication, publicKey }
}

const verify = (assertion: string | undefined, publicKey: CryptoKey) =>
  jwtVerify(assertion ?? '', publicKey, {
    issuer: 'gateway',
    subject: 'gateway',
    audience: AS,
    typ: 'JWT',
    requiredClaims: ['exp', 'iat', 'jti'],
  })

for (const alg of ['ES256', 'ES384', 'ES512', 'RS256', 'PS512', 'EdDSA', 'Ed25519'] as const) {
  t.test(`RFC 7523 §3 private_key_jwt with ${alg}`, async (t) => {
    const { authentication, publicKey } = await assertions(alg, 'gw-1')
    const { headers, form } = await apply(authentication)
    t.strictSame(headers, {})
    t.match(form, {
      token: 'x',
      client_id: 'gateway',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    })
    const { protectedHeader, payload } = await verify(form['client_assertion'], publicKey)
    t.strictSame(protectedHeader, { alg, typ: 'JWT', kid: 'gw-1' })
    const now = Date.now() / 1_000
    const { iat = 0, exp = 0, aud } = payload
    t.ok(iat <= now && iat > now - 30, 'issued now')
    t.equal(exp - iat, 60, 'good for a minute')
    t.equal(aud, AS, 'a text: some issuers take no array')
    t.strictSame(Object.keys(payload).sort(), ['aud', 'exp', 'iat', 'iss', 'jti', 'sub'])
  })
}

t.test('private_key_jwt without kid', async (t) => {
  const { authentication, publicKey } = await assertions('ES256')
  const { form } = await apply(authentication)
  const { protectedHeader } = await verify(form['client_assertion'], publicKey)
  t.strictSame(protectedHeader, { alg: 'ES256', typ: 'JWT' })
})

t.test('RFC 7523 §3 (7) private_key_jwt: jti differs each time', async (t) => {
  const { authentication, publicKey } = await assertions('ES256')
  const forms = await Promise.all(Array.from({ length: 50 }, () => apply(authentication)))
  const ids = await Promise.all(
    forms.map(async ({ form }) => (await verify(form['client_assertion'], publicKey)).payload.jti),
  )
  t.equal(new Set(ids).size, 50)
})

t.test('there is nothing new to try with after a 401', async (t) => {
  const secret = { clientId: 'gateway', clientSecret: 's3cret' }
  const { authentication } = await assertions('ES256')
  const none = createNoAuthentication('gateway')
  for (const it of [createSecretBasic(secret), createSecretPost(secret), none, authentication]) {
    t.equal(it.renew, undefined)
  }
})
