import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { compactVerify, CompactSign } from 'jose'
import t, { type Test } from 'tap'
import type { AlgorithmName } from '../../src/jws/algorithms.ts'
import { readSigningKey } from '../../src/jws/signing-key.ts'

type Kind = 'P-256' | 'P-384' | 'P-521' | 'secp256k1' | 'Ed25519' | 'RSA' | 'RSA 1024'

const CREATE = {
  RSA: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  'RSA 1024': () => generateKeyPairSync('rsa', { modulusLength: 1024 }),
  Ed25519: () => generateKeyPairSync('ed25519'),
  'P-256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'P-384': () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  'P-521': () => generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  secp256k1: () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
} as const satisfies Record<Kind, unknown>

const pairs = new Map<Kind, ReturnType<(typeof CREATE)[Kind]>>()

function pairOf(kind: Kind) {
  const pair = pairs.get(kind) ?? CREATE[kind]()
  pairs.set(kind, pair)
  return pair
}

const pem = (kind: Kind) =>
  pairOf(kind).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const privateJwk = (kind: Kind) => pairOf(kind).privateKey.export({ format: 'jwk' })
const jwk = (kind: Kind, more: object = {}) => JSON.stringify({ ...privateJwk(kind), ...more })

/** What it signs verifies with the public key, under the name it says. */
async function signs(t: Test, text: string, kind: Kind, chosen?: AlgorithmName) {
  const read = readSigningKey(text, chosen)
  if (typeof read === 'string') return read
  const signer = new CompactSign(Buffer.from('x')).setProtectedHeader({ alg: read.algorithm })
  const { protectedHeader } = await compactVerify(
    await signer.sign(read.key),
    pairOf(kind).publicKey,
  )
  t.equal(protectedHeader.alg, read.algorithm)
  return read.algorithm
}

const USUAL = {
  'P-256': 'ES256',
  'P-384': 'ES384',
  'P-521': 'ES512',
  Ed25519: 'EdDSA',
  RSA: 'RS256',
} as const

for (const [kind, usual] of Object.entries(USUAL) as [keyof typeof USUAL, AlgorithmName][]) {
  t.test(`${kind}: ${usual}, if nothing else is said`, async (t) => {
    t.equal(await signs(t, pem(kind), kind), usual, 'PEM')
    t.equal(await signs(t, jwk(kind), kind), usual, 'JWK')
    t.equal(await signs(t, `\n ${jwk(kind)}\n`, kind), usual, 'JWK with space around it')
    t.equal(await signs(t, pem(kind).replaceAll('\n', '\r\n'), kind), usual, 'PEM of Windows')
    t.equal(await signs(t, pem(kind), kind, usual), usual, 'chosen')
  })
}

const RSA = ['PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512'] as const

t.test('what else a key can sign with', async (t) => {
  for (const alg of RSA) {
    t.equal(await signs(t, pem('RSA'), 'RSA', alg), alg)
    t.equal(await signs(t, jwk('RSA', { alg }), 'RSA'), alg, 'as the JWK says')
    t.equal(await signs(t, jwk('RSA', { alg: 'RS512' }), 'RSA', alg), alg, 'chosen over the JWK')
  }
  t.equal(await signs(t, pem('Ed25519'), 'Ed25519', 'Ed25519'), 'Ed25519', 'its other name')
  t.equal(await signs(t, jwk('Ed25519', { alg: 'Ed25519' }), 'Ed25519'), 'Ed25519')
})

t.test('kid is that of the JWK', async (t) => {
  for (const [text, kid] of [
    [jwk('P-256', { kid: 'gw-1' }), 'gw-1'],
    [jwk('P-256', { kid: 7 }), undefined],
    [jwk('P-256'), undefined],
    [pem('P-256'), undefined],
  ] as const) {
    const read = readSigningKey(text)
    t.equal(typeof read === 'object' && read.keyId, kid)
  }
})

t.test('an algorithm the key is not for', async (t) => {
  const misfits: readonly (readonly [kind: Kind, algorithms: readonly AlgorithmName[]])[] = [
    ['P-256', ['ES384', 'ES512', 'EdDSA', 'Ed25519', 'PS256', 'RS256']],
    ['P-384', ['ES256', 'ES512']],
    ['P-521', ['ES256', 'ES384']],
    ['Ed25519', ['ES256', 'RS256']],
    ['RSA', ['ES256', 'EdDSA']],
  ]
  for (const [kind, algorithms] of misfits) {
    for (const alg of algorithms) {
      t.equal(readSigningKey(pem(kind), alg), 'is not a key for its algorithm', `${kind} chosen`)
      t.equal(readSigningKey(jwk(kind, { alg })), 'is not a key for its algorithm', `${kind} JWK`)
    }
  }
  for (const alg of ['HS256', 'none', 'RSA-OAEP', 'ES256K', 'toString', '']) {
    t.match(readSigningKey(jwk('P-256', { alg })), /^is not a key for/, `"${alg}"`)
  }
  t.match(readSigningKey(jwk('P-256', { alg: 'HS256' }), 'ES256'), { algorithm: 'ES256' }, 'chosen')
})

const NO_KEY = 'is not a private key, as PEM (PKCS #8) or JWK'

t.test('what is no private key', async (t) => {
  const { privateKey, publicKey } = pairOf('P-256')
  const rsa = privateJwk('RSA')
  const locked = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' } as const
  for (const [name, text] of [
    ['a public PEM', String(publicKey.export({ type: 'spki', format: 'pem' }))],
    ['a public JWK', JSON.stringify(publicKey.export({ format: 'jwk' }))],
    ['a public RSA JWK', JSON.stringify(pairOf('RSA').publicKey.export({ format: 'jwk' }))],
    ['an encrypted PEM', String(privateKey.export(locked))],
    ['a symmetric JWK', JSON.stringify({ kty: 'oct', k: 'c2VjcmV0' })],
    ['a JWK Set', JSON.stringify({ keys: [privateJwk('P-256')] })],
    ['an array', JSON.stringify([privateJwk('P-256')])],
    ['x that is not on the curve', jwk('P-256', { x: privateJwk('P-256').y })],
    ['d that is a number', jwk('P-256', { d: 7 })],
    ['an RSA JWK without its primes', JSON.stringify({ kty: 'RSA', n: rsa.n, e: rsa.e, d: rsa.d })],
    ['a member twice', jwk('P-256').replace('{', '{"kty":"EC",')],
    ['an unknown curve', jwk('P-256', { crv: 'P-512' })],
    ['a PEM cut off', pem('P-256').slice(0, 100)],
    ['a PEM without its line breaks', pem('P-256').replaceAll('\n', '')],
    ['base64 alone', pem('P-256').replace(/-----[^-]+-----/g, '')],
    ['a path', '/etc/gateway/key.pem'],
    ['nothing', ''],
    ['{}', '{}'],
  ] as const) {
    t.equal(readSigningKey(text), NO_KEY, name)
  }
})

t.test('weak RSA keys', async (t) => {
  const message = 'is too weak: RSA needs 2048 bits'
  for (const text of [pem('RSA 1024'), jwk('RSA 1024')]) t.equal(readSigningKey(text), message)
  t.equal(readSigningKey(pem('RSA 1024'), 'RS256'), message, 'chosen')
})

t.test('kinds of keys that no algorithm here is for', async (t) => {
  const message = 'is a key of a kind that is not used here'
  t.equal(readSigningKey(pem('secp256k1')), message, 'secp256k1')
  t.equal(readSigningKey(jwk('secp256k1')), message, 'secp256k1 as JWK')
  t.equal(readSigningKey(jwk('secp256k1', { alg: 'ES256' })), message, 'secp256k1 says ES256')
  t.equal(readSigningKey(pem('secp256k1'), 'ES256'), message, 'secp256k1 for ES256')
  const pkcs8 = (key: KeyObject) => String(key.export({ type: 'pkcs8', format: 'pem' }))
  const pss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 })
  t.equal(readSigningKey(pkcs8(pss.privateKey)), message, 'RSA-PSS')
  for (const { privateKey } of [generateKeyPairSync('x25519'), generateKeyPairSync('ed448')]) {
    t.equal(readSigningKey(pkcs8(privateKey)), message, privateKey.asymmetricKeyType ?? '')
  }
})

t.test('no message holds key material', async (t) => {
  const { d = '', p = '' } = privateJwk('RSA')
  const body = pem('P-256').split('\n')[1] ?? ''
  const refused = [
    readSigningKey(jwk('RSA', { n: 7 })),
    readSigningKey(jwk('RSA', { alg: 'ES256' })),
    readSigningKey(jwk('RSA').slice(0, -1)),
    readSigningKey(pem('P-256'), 'RS256'),
    readSigningKey(pem('P-256').replace('-----END', '----END')),
  ]
  for (const message of refused) {
    t.type(message, 'string')
    for (const secret of [d, p, body]) t.notMatch(JSON.stringify(message), secret.slice(0, 8))
  }
})

t.test('a JWK whose parts are not of one key', async (t) => {
  const message = 'is a private key that does not fit its public one'
  for (const kind of ['P-256', 'Ed25519'] as const) {
    const { d } = CREATE[kind]().privateKey.export({ format: 'jwk' })
    t.equal(readSigningKey(jwk(kind, { d })), message, kind)
  }
  for (const d of ['AAAA', Buffer.alloc(32).toString('base64url')]) {
    t.type(readSigningKey(jwk('P-256', { d })), 'string', d)
  }
})
