/** Group C: the key in the header of a proof (RFC 9449 §4.3 (6) and (7), RFC 7517, RFC 7518 §6). */
import { exportJWK } from 'jose'
import t from 'tap'
import { createClient, type Client } from '../support/client.ts'
import { createStage } from '../support/stage.ts'
import { encode } from './forge.ts'
import { answerTable, type Row } from './table.ts'

const zero = Buffer.alloc(32)
const pad = Buffer.alloc(1)
const bytes = (member = '') => Buffer.from(member, 'base64url')

t.test('jwk with EC', async (t) => {
  const stage = await createStage(t)
  const other = await createClient()
  const { publicJwk: jwk, privateKey } = stage.client
  const { x = '', y = '' } = jwk
  const { d } = await exportJWK(privateKey)
  const offCurve = Buffer.from(bytes(y).map((byte, at) => (at === 31 ? byte ^ 1 : byte)))
  const key = (members: object) => ({ header: { jwk: { ...jwk, ...members } } })
  const rows: readonly (readonly [name: string, jwk: unknown, answer: string])[] = [
    ...['', 1, true, null, 'foo', [], {}, JSON.stringify(jwk), [jwk]].map(
      (it) => [`#85 jwk ${JSON.stringify(it).slice(0, 20)}`, it, '401 proof_key'] as const,
    ),
    ['#86 private', { ...jwk, d }, '401 proof_key_private'],
    ['#89 d empty', { ...jwk, d: '' }, '401 proof_key_private'],
    ['#89 d null', { ...jwk, d: null }, '401 proof_key_private'],
    ['#90 stray k', { ...jwk, k: 'AAAA' }, '401 proof_key_private'],
    ['#90 kty oct', { kty: 'oct', k: 'AAAA' }, '401 proof_key_private'],
    ['#90 kty oct without k', { kty: 'oct' }, '401 proof_key'],
    ['#91 kty missing', { ...jwk, kty: undefined }, '401 proof_key'],
    ...['XY', 'ec', 'EC ', 'OKP', 'RSA', 1].map(
      (kty) => [`#91 kty ${kty}`, { ...jwk, kty }, '401 proof_key'] as const,
    ),
    ['#92 crv missing', { ...jwk, crv: undefined }, '401 proof_key'],
    ...['P-384', 'secp256k1', 'brainpoolP256r1', 'p-256', 'Ed25519', ['P-256']].map(
      (crv) => [`#92 crv ${String(crv)}`, { ...jwk, crv }, '401 proof_key'] as const,
    ),
    ['#93 off the curve', { ...jwk, y: encode(offCurve) }, '401 proof_key'],
    ['#93 the point (0,0)', { ...jwk, x: encode(zero), y: encode(zero) }, '401 proof_key'],
    ['#93 x = 2^256 - 1', { ...jwk, x: encode(Buffer.alloc(32, 255)) }, '401 proof_key'],
    ['#94 x of 31 bytes', { ...jwk, x: encode(bytes(x).subarray(1)) }, '401 proof_key'],
    ['#94 x of 33 bytes', { ...jwk, x: encode(Buffer.concat([pad, bytes(x)])) }, '401 proof_key'],
    ['#94 y of 31 bytes', { ...jwk, y: encode(bytes(y).subarray(1)) }, '401 proof_key'],
    ['#94 x padded', { ...jwk, x: `${x}=` }, '401 proof_key'],
    ['#94 x with unused bits', { ...jwk, x: nextLetter(x) }, '401 proof_key'],
    ['#94 x with a line end', { ...jwk, x: `${x}\n` }, '401 proof_key'],
    ['#94 x a number', { ...jwk, x: 1 }, '401 proof_key'],
    ['#94 x an array', { ...jwk, x: [x] }, '401 proof_key'],
    ['#94 y missing', { ...jwk, y: undefined }, '401 proof_key'],
    ...['enc', '', 'SIG', null, ['sig']].map(
      (use) => [`#100 use ${JSON.stringify(use)}`, { ...jwk, use }, '401 proof_key'] as const,
    ),
    ...['ES384', 'ECDH-ES', '', null].map(
      (alg) => [`#101 alg ${JSON.stringify(alg)}`, { ...jwk, alg }, '401 proof_key'] as const,
    ),
    ...[['sign'], [], 'verify', null, [['verify']]].map(
      (ops) =>
        [`#102 key_ops ${JSON.stringify(ops)}`, { ...jwk, key_ops: ops }, '401 proof_key'] as const,
    ),
    ['#105 a key set', { keys: [jwk] }, '401 proof_key'],
    ['the key of another client', other.publicJwk, '401 token_key_mismatch'],
    ['no members but those of __proto__', proto(jwk), '401 proof_key'],
  ]
  answerTable(t, stage, [
    { name: '#84 jwk missing', proof: { omit: ['jwk'] }, answer: '401 proof_key' },
    ...rows.map(([name, jwk, answer]): Row => ({ name, proof: { header: { jwk } }, answer })),
    {
      name: '#103 members that say more of the key',
      proof: key({ kid: 'k', use: 'sig', key_ops: ['verify'], x5c: [], ext: true, alg: 'ES256' }),
      answer: '200',
    },
    {
      name: '#104 members in another order',
      proof: { header: { jwk: { y, x, kty: 'EC', crv: 'P-256' } } },
      answer: '200',
    },
    {
      name: '#104 members with escapes',
      forgery: { header: (it) => it.replace('"kty":"EC"', String.raw`"\u006bty":"\u0045C"`) },
      answer: '200',
    },
    {
      name: '#104 a member twice',
      forgery: { header: (it) => it.replace('"kty":', '"kty":"EC","kty":') },
      answer: '401 proof_malformed',
    },
  ])
})

function nextLetter(x: string): string {
  return x.slice(0, -1) + String.fromCharCode(x.charCodeAt(x.length - 1) + 1)
}

function proto(value: object): unknown {
  return JSON.parse(`{"__proto__":${JSON.stringify(value)}}`)
}

t.test('alg and kty, alg and crv', async (t) => {
  const stage = await createStage(t)
  const mismatch = (name: string, client: Client, alg: string): Row => {
    return { name, client, proof: { header: { alg } }, answer: '401 proof_key' }
  }
  const [p384, rsa, ed25519] = [
    await createClient('ES384'),
    await createClient('RS256'),
    await createClient('Ed25519'),
  ]
  const x25519 = { kty: 'OKP', crv: 'X25519', x: ed25519.publicJwk.x }
  answerTable(t, stage, [
    mismatch('#65 ES256 with RSA', rsa, 'ES256'),
    mismatch('#65 EdDSA with RSA', rsa, 'EdDSA'),
    mismatch('#65 RS256 with EC', stage.client, 'RS256'),
    mismatch('#65 PS256 with EC', stage.client, 'PS256'),
    mismatch('#65 EdDSA with EC', stage.client, 'EdDSA'),
    mismatch('#65 ES256 with OKP', ed25519, 'ES256'),
    mismatch('#66 ES256 with P-384', p384, 'ES256'),
    mismatch('#66 ES384 with P-256', stage.client, 'ES384'),
    {
      name: '#68 EdDSA with X25519',
      client: ed25519,
      proof: { header: { alg: 'EdDSA', jwk: x25519 } },
      answer: '401 proof_key',
    },
  ])
})

t.test('#99 Ed25519 points', async (t) => {
  const client = await createClient('Ed25519')
  const forged = Buffer.concat([Buffer.from([1]), Buffer.alloc(63)])
  const points = [
    ['of order 1', `01${'00'.repeat(31)}`, '401 proof_key_weak'],
    ['of order 1, with the sign of x set', `01${'00'.repeat(30)}80`, '401 proof_key_weak'],
    ['of order 2', `ec${'ff'.repeat(30)}7f`, '401 proof_key_weak'],
    ['of order 4', '00'.repeat(32), '401 proof_key_weak'],
    [
      'of order 8',
      'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
      '401 proof_key_weak',
    ],
    [
      'of order 8, the other one',
      '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
      '401 proof_key_weak',
    ],
    ['y = p', `ed${'ff'.repeat(30)}7f`, '401 proof_key_weak'],
    ['y = p + 1', `ee${'ff'.repeat(30)}7f`, '401 proof_key_weak'],
    ['31 bytes', '58'.repeat(31), '401 proof_key'],
    ['33 bytes', '58'.repeat(33), '401 proof_key'],
  ] as const
  answerTable(
    t,
    await createStage(t),
    points.map(([name, hex, answer]): Row => {
      const jwk = { ...client.publicJwk, x: encode(Buffer.from(hex, 'hex')) }
      // With a point of order 1 this signature verifies for every message.
      const proof = { header: { jwk }, raw: { signature: () => forged } }
      return { name: `#99 ${name}`, client, proof, answer }
    }),
  )
})
