/** What passes and what does not through a whole gateway is in test/conformance/introspection*. */
import { createHmac } from 'node:crypto'
import { CompactEncrypt, generateKeyPair } from 'jose'
import t, { type Test } from 'tap'
import { readAnswer, type SignedAnswers } from '../../src/issuer/introspection-answer.ts'
import { withAliases } from '../../src/jws/algorithms.ts'
import { createAuthority, type Overrides } from '../support/jwks-server.ts'
import { wallClock } from '../token/verifier.ts'
import { keySetOf } from './key-set.ts'

const TYP = 'token-introspection+jwt'
const TYPE = `application/${TYP}`
const ACTIVE = { active: true }

const encode = (value: string | object) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** Reads an answer with status 200, of this type. */
function read(body: string | Buffer, type: string | string[] | undefined, signed?: SignedAnswers) {
  const headers = type === undefined ? {} : { 'content-type': type }
  return readAnswer({ status: 200, headers, body: Buffer.from(body) }, signed)
}

/** Signed answers, valid but for what is replaced, and what reads them. */
async function stageOf(t: Test, alg = 'ES256') {
  const authority = await createAuthority(t, { alg })
  const keys = keySetOf(t, authority)
  await keys.start()
  const { issuer } = authority
  const signed: SignedAnswers = {
    issuer,
    clientId: 'gateway',
    keys,
    algorithms: withAliases(['ES256', 'PS256', 'EdDSA']),
    toleranceSeconds: 32,
  }
  const valid = { iss: issuer, aud: 'gateway', iat: wallClock(), token_introspection: ACTIVE }
  const sign = (claims: Overrides = {}, header: Overrides = {}, signer = authority) =>
    signer.sign(JSON.stringify({ ...valid, ...claims }), { typ: TYP, ...header })
  return {
    authority,
    signed,
    valid,
    sign,
    readSigned: async (jwt: string | Promise<string>, type: string | string[] | undefined = TYPE) =>
      read(await jwt, type, signed),
  }
}

t.test('RFC 9701 §5 typ of the answer', async (t) => {
  const { sign, readSigned } = await stageOf(t)
  for (const typ of [TYP, TYPE, 'Token-Introspection+JWT', TYPE.toUpperCase()]) {
    t.strictSame(await readSigned(sign({}, { typ })), ACTIVE, typ)
  }
  for (const typ of ['at+jwt', `x${TYP}`, `${TYP} `, `text/${TYP}`, '', null, 7, [TYP]]) {
    const message = 'typ of the signed answer is not token-introspection+jwt'
    await t.rejects(readSigned(sign({}, { typ })), { message }, `typ ${JSON.stringify(typ)}`)
  }
})

t.test('RFC 9701 §4 Content-Type of the answer', async (t) => {
  const { sign, readSigned, signed } = await stageOf(t)
  const jwt = await sign()
  for (const type of [
    TYPE,
    TYPE.toUpperCase(),
    'Application/Token-Introspection+JWT',
    `${TYPE};charset=utf-8`,
    `${TYPE} ; charset="utf-8"`,
    ` ${TYPE} `,
  ]) {
    t.strictSame(await readSigned(jwt, type), ACTIVE, `"${type}"`)
  }
  for (const type of [
    'application/jwt',
    'application/json',
    `text/plain;${TYPE}`,
    `${TYPE}x`,
    TYP,
    '',
  ]) {
    const message = `the answer is no signed JWT, but of type ${type.split(';')[0] ?? ''}`
    await t.rejects(readSigned(jwt, type), { message }, `"${type}"`)
  }
  await t.rejects(read(jwt, undefined, signed), { message: /of type none$/ }, 'none')
  await t.rejects(readSigned(jwt, [TYPE, TYPE]), { message: /no signed JWT/ }, 'twice')
})

t.test('RFC 9701 §5 iss is the issuer asked', async (t) => {
  const { sign, readSigned, authority } = await stageOf(t)
  const { issuer } = authority
  for (const iss of [`${issuer}/`, issuer.toUpperCase(), '', null, [issuer], { iss: issuer }]) {
    const message = 'the signed answer is of another issuer'
    await t.rejects(readSigned(sign({ iss })), { message }, `iss ${JSON.stringify(iss)}`)
  }
})

t.test('RFC 9701 §5 aud is the gateway', async (t) => {
  const { sign, readSigned } = await stageOf(t)
  for (const aud of ['gateway', ['gateway'], ['other', 'gateway']]) {
    t.strictSame(await readSigned(sign({ aud })), ACTIVE, `aud ${JSON.stringify(aud)}`)
  }
  for (const aud of [
    'Gateway',
    'gateway other',
    '',
    [],
    ['other'],
    [['gateway']],
    { gateway: true },
    null,
    7,
  ]) {
    const message = 'the signed answer is for another client'
    await t.rejects(readSigned(sign({ aud })), { message }, `aud ${JSON.stringify(aud)}`)
  }
})

t.test('RFC 9701 §5 the answer in it', async (t) => {
  const { sign, readSigned } = await stageOf(t)
  for (const token_introspection of [undefined, null, [], [ACTIVE], 'active', true]) {
    await t.rejects(
      readSigned(sign({ token_introspection, active: true })),
      { message: 'the answer is not a JSON object' },
      JSON.stringify(token_introspection),
    )
  }
  for (const active of ['true', 1, 0, null, undefined, [true], { active: true }]) {
    await t.rejects(
      readSigned(sign({ token_introspection: { active }, active: true })),
      { message: 'the answer has no boolean `active`' },
      `active ${JSON.stringify(active)}`,
    )
  }
  const answer = { active: false, sub: 'alice', iss: 'x', aud: ['y'] }
  t.strictSame(await readSigned(sign({ token_introspection: answer })), answer)
})

const UNVERIFIED = { message: 'the signature of the answer does not verify' }

t.test('RFC 9701 §8.1 the signature is that of the issuer', async (t) => {
  const { sign, readSigned, valid, authority } = await stageOf(t)
  const another = await createAuthority(t)
  const jwt = await sign()
  const [header = '', payload = '', signature = ''] = jwt.split('.')
  const [jwk] = authority.keys()
  const unsigned = `${encode({ alg: 'none', typ: TYP })}.${payload}`
  const confused = `${encode({ alg: 'HS256', typ: TYP, kid: 'key-1' })}.${payload}`
  const mac = createHmac('sha256', JSON.stringify(jwk)).update(confused).digest('base64url')
  const inactive = encode({ ...valid, token_introspection: { active: false } })
  for (const [name, forged] of [
    ['another key with the same kid', sign({}, {}, another)],
    ['another key that brings itself', sign({}, { jwk: another.keys()[0] }, another)],
    ['another key, by jku', sign({}, { jku: another.jwksUri }, another)],
    ['a kid nobody has', sign({}, { kid: 'key-9' })],
    ['a kid that is no string', sign({}, { kid: 1 })],
    ['alg none', `${unsigned}.`],
    ['alg none with a signature', `${unsigned}.${signature}`],
    ['alg HS256 with the public key', `${confused}.${mac}`],
    ['other claims', `${header}.${inactive}.${signature}`],
    ['no signature', `${header}.${payload}.`],
  ] as const) {
    await t.rejects(readSigned(forged), UNVERIFIED, name)
  }
  t.equal(another.requests.jwks, 0, 'nothing is fetched from where an answer points')
  t.strictSame(await readSigned(jwt), ACTIVE)
})

t.test('RFC 8725 §3.1 alg is one of those allowed', async (t) => {
  for (const alg of ['ES256', 'PS256', 'EdDSA', 'Ed25519']) {
    const { sign, readSigned } = await stageOf(t, alg)
    t.strictSame(await readSigned(sign()), ACTIVE, alg)
  }
  for (const alg of ['RS256', 'ES384']) {
    const { sign, readSigned } = await stageOf(t, alg)
    await t.rejects(readSigned(sign()), UNVERIFIED, alg)
  }
})

t.test('the keys of the issuer are not there: nothing about the signature', async (t) => {
  const { authority, sign, signed } = await stageOf(t)
  const keys = keySetOf(t, authority)
  const unavailable = { code: 'issuer_unavailable' }
  await t.rejects(read(await sign(), TYPE, { ...signed, keys }), unavailable)
})

t.test('RFC 9701 §5 what is no signed JWT', async (t) => {
  const { sign, readSigned, valid, authority } = await stageOf(t)
  const jwt = await sign()
  const { publicKey } = await generateKeyPair('RSA-OAEP-256')
  const encrypted = new CompactEncrypt(Buffer.from(jwt))
    .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A128CBC-HS256', cty: 'JWT', typ: TYP })
    .encrypt(publicKey)
  const [header = '', payload = '', signature = ''] = jwt.split('.')
  for (const [name, body] of [
    ['encrypted (JWE)', encrypted],
    ['plain JSON', JSON.stringify(ACTIVE)],
    ['the claims as JSON', JSON.stringify(valid)],
    [
      'JSON serialization',
      JSON.stringify({ payload, signatures: [{ protected: header, signature }] }),
    ],
    ['in quotes', JSON.stringify(jwt)],
    ['two parts', `${header}.${payload}`],
    ['a signature in a second spelling', `${jwt}=`],
    ['a member twice', authority.sign('{"aud":"x","aud":"gateway"}', { typ: TYP })],
    ['crit', sign({}, { crit: ['b64'], b64: true })],
    ['a nested JWT', sign({}, { cty: 'JWT' })],
    ['nothing', ''],
  ] as const) {
    const message = 'the signed answer is malformed, or encrypted'
    await t.rejects(readSigned(body), { message }, name)
  }
})

t.test('RFC 7662 §2.2 plain answers', async (t) => {
  for (const type of [
    'application/json',
    'Application/JSON; charset=utf-8',
    'text/html',
    undefined,
  ]) {
    t.strictSame(await read(JSON.stringify(ACTIVE), type), ACTIVE, type ?? 'no type')
  }
  const whole = { active: false, sub: null, cnf: { jkt: 'x' }, ext: [1] }
  t.strictSame(await read(JSON.stringify(whole), 'application/json'), whole)
  for (const type of [TYPE, TYPE.toUpperCase(), `${TYPE};charset=utf-8`]) {
    const message = 'the answer is a signed JWT: set introspection.response to jwt'
    await t.rejects(read(JSON.stringify(ACTIVE), type), { message }, type)
  }
})

t.test('RFC 7662 §2.2 plain answers that are none', async (t) => {
  const json = JSON.stringify(ACTIVE)
  for (const body of [
    ...['', 'null', 'true', '"active"', `[${json}]`, `${json}}`, `${json}\n${json}`],
    ...[`\uFEFF${json}`, '{"active":false,"active":true}', '{"active":true,"a":{"b":1,"b":2}}'],
    ...['{"active":true,"\\u0061ctive":false}', "{'active':true}", '{"active":true,}'],
  ]) {
    await t.rejects(
      read(body, 'application/json'),
      { message: 'the answer is not a JSON object' },
      body,
    )
  }
  const latin1 = Buffer.from('{"active":true,"sub":"ü"}', 'latin1')
  await t.rejects(read(latin1, 'application/json'), { message: /not a JSON object/ }, 'not UTF-8')
  for (const body of ['{}', '{"active":"true"}', '{"active":1}', '{"Active":true}']) {
    const message = 'the answer has no boolean `active`'
    await t.rejects(read(body, 'application/json'), { message }, body)
  }
})

t.test('statuses: never whether a token is good', async (t) => {
  const { signed } = await stageOf(t)
  const rows: readonly (readonly [status: number, body: string, message: RegExp])[] = [
    [201, JSON.stringify(ACTIVE), /^the answer has status 201/],
    [400, JSON.stringify(ACTIVE), /^the answer has status 400/],
    [401, JSON.stringify(ACTIVE), /status 401\b.+ does not take the credentials of the gateway$/],
    [403, '', /status 403\b.+ does not take the credentials of the gateway$/],
    [500, '', /status 500$/],
    [400, '{"error":"invalid_request"}', /status 400: invalid_request$/],
    [
      400,
      '{"error":"invalid_client"}',
      /status 400: invalid_client\b.+ credentials of the gateway$/,
    ],
    [400, '{"error":"a\\r\\nb"}', /status 400$/],
    [400, '{"error":"t0ken"}', /status 400$/],
  ]
  for (const [status, body, message] of rows) {
    for (const wanted of [signed, undefined]) {
      const answer = { status, headers: {}, body: Buffer.from(body) }
      await t.rejects(readAnswer(answer, wanted), { message }, `${status} ${body}`)
    }
  }
})

t.test('RFC 7009 §2.2.1 a kind of token the issuer does not know', async (t) => {
  const body = Buffer.from('{"error":"unsupported_token_type"}')
  const answer = { status: 400, headers: {}, body }
  t.strictSame(await readAnswer(answer, undefined), { active: false })
  await t.rejects(readAnswer({ ...answer, status: 200 }, undefined), { message: /no boolean/ })
})

t.test('a signed answer that is not of now', async (t) => {
  const { sign, readSigned } = await stageOf(t)
  const now = wallClock()
  for (const claims of [
    { iat: now - 20 },
    { iat: now + 20 },
    { exp: now - 20 },
    { exp: now + 60, nbf: now },
  ]) {
    await t.resolves(readSigned(sign(claims)), JSON.stringify(claims))
  }
  for (const claims of [
    ...[now - 60, now + 60, 0, undefined, null, String(now), 1e300].map((iat) => ({ iat })),
    ...[now - 60, 0, 'x', null].map((exp) => ({ exp })),
    ...[now + 60, 'x', {}].map((nbf) => ({ nbf })),
  ]) {
    const message = 'the signed answer is not of now, by its times'
    await t.rejects(readSigned(sign(claims)), { message }, JSON.stringify(claims))
  }
})
