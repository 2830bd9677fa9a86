/** Group B: the signature of a proof (RFC 9449 §4.3 (6), RFC 7515 §5.2, RFC 7518 §3). */
import {
  constants,
  createHash,
  KeyObject,
  privateEncrypt,
  sign,
  type SignKeyObjectInput,
} from 'node:crypto'
import t from 'tap'
import { createClient } from '../support/client.ts'
import { createStage } from '../support/stage.ts'
import { encode } from './forge.ts'
import { answerTable, outcome, sendRow, type Row } from './table.ts'

const refused = '401 proof_signature'

/** The order of P-256 (SEC 2 §2.4.2). */
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

const number = (bytes: Buffer) => BigInt(`0x${bytes.toString('hex')}`)
const word = (value: bigint) => Buffer.from(value.toString(16).padStart(64, '0'), 'hex')
const zero = Buffer.alloc(32)
const r = (signature: Buffer) => signature.subarray(0, 32)
const s = (signature: Buffer) => signature.subarray(32)

type Change = (right: Buffer) => Uint8Array

const changes: readonly (readonly [name: string, change: Change])[] = [
  ['#77 one bit flipped', (it) => Buffer.from(it.map((byte, at) => (at === 9 ? byte ^ 1 : byte)))],
  ['#77 r and s swapped', (it) => Buffer.concat([s(it), r(it)])],
  ['#79 empty', () => Buffer.alloc(0)],
  ['#80 DER', (it) => der(it)],
  ['#81 63 bytes', (it) => it.subarray(0, 63)],
  ['#81 65 bytes, zero at the end', (it) => Buffer.concat([it, Buffer.alloc(1)])],
  [
    '#81 66 bytes, zero before r and s',
    (it) => Buffer.concat([zero.subarray(31), r(it), zero.subarray(31), s(it)]),
  ],
  ['#81 r = 0', (it) => Buffer.concat([zero, s(it)])],
  ['#81 s = 0', (it) => Buffer.concat([r(it), zero])],
  ['#81 r = s = 0', () => Buffer.alloc(64)],
  ['#81 r = n', (it) => Buffer.concat([word(N), s(it)])],
  ['#81 s = n', (it) => Buffer.concat([r(it), word(N)])],
  ['#81 r = s = n', () => Buffer.concat([word(N), word(N)])],
  ['#81 r = s = 1', () => Buffer.concat([word(1n), word(1n)])],
  ['#81 r = s = n - 1', () => Buffer.concat([word(N - 1n), word(N - 1n)])],
  ['#81 all bits set', () => Buffer.alloc(64, 0xff)],
]

/** The same numbers as an ASN.1 sequence of two integers. */
function der(signature: Buffer): Buffer {
  const integer = (it: Buffer) => {
    const value = Buffer.concat([Buffer.alloc(1), it])
    return Buffer.concat([Buffer.from([2, value.length]), value])
  }
  const both = Buffer.concat([integer(r(signature)), integer(s(signature))])
  return Buffer.concat([Buffer.from([0x30, both.length]), both])
}

t.test('a signature with ES256', async (t) => {
  const stage = await createStage(t)
  const attacker = await createClient()
  const reheaded = (header: object) => (proof: string) =>
    proof.replace(/^[^.]*/, encode(JSON.stringify(header)))
  const { publicJwk: jwk } = stage.client
  answerTable(t, stage, [
    ...changes.map(([name, signature]): Row => ({
      name,
      proof: { raw: { signature } },
      answer: refused,
    })),
    {
      name: '#77 over another payload',
      edit: (it) => it.replace(/\.[^.]*\./, (part) => `.${repack(part.slice(1, -1))}.`),
      answer: refused,
    },
    {
      name: '#77 over another header',
      edit: reheaded({ typ: 'DPOP+JWT', alg: 'ES256', jwk }),
      answer: refused,
    },
    {
      name: '#77 under the header of another key',
      edit: reheaded({ typ: 'dpop+jwt', alg: 'ES256', jwk: attacker.publicJwk }),
      answer: '401 token_key_mismatch',
    },
    { name: '#78 with another key than jwk', proof: { signer: attacker }, answer: refused },
  ])
})

/** The same claims, spelled with white space. */
function repack(payload: string): string {
  return encode(`${Buffer.from(payload, 'base64url').toString()} `)
}

t.test('#78 with another key, after a request that passed', async (t) => {
  const stage = await createStage(t)
  const token = await stage.mint()
  t.equal(outcome(await sendRow(stage, { token })), '200')
  const signer = await createClient()
  t.equal(outcome(await sendRow(stage, { token, proof: { signer } })), refused)
})

t.test('#82 a malleated copy of an accepted proof', async (t) => {
  const stage = await createStage(t)
  const token = await stage.mint()
  const malleate: Change = (it) => Buffer.concat([r(it), word(N - number(s(it)))])
  const first = { token, proof: { claims: { jti: 'first' } } }
  const second = { token, proof: { claims: { jti: 'second' }, raw: { signature: malleate } } }
  t.equal(outcome(await sendRow(stage, first)), '200')
  t.equal(
    outcome(
      await sendRow(stage, { token, proof: { ...first.proof, raw: { signature: malleate } } }),
    ),
    '401 proof_replayed',
  )
  t.equal(outcome(await sendRow(stage, second)), '200', 'the other half verifies as well')
  t.equal(
    outcome(await sendRow(stage, { token, proof: { claims: { jti: 'second' } } })),
    '401 proof_replayed',
  )
})

t.test('#83 RSA with another padding', async (t) => {
  const stage = await createStage(t)
  const pss = await createClient('PS256')
  const pkcs1 = await createClient('RS256')
  const keys = { pss: KeyObject.from(pss.privateKey), pkcs1: KeyObject.from(pkcs1.privateKey) }
  const signed = (hash: string, options: Partial<SignKeyObjectInput>, key = keys.pkcs1) => ({
    raw: {
      signature: (_: Buffer, input: string) => sign(hash, Buffer.from(input), { key, ...options }),
    },
  })
  const padding = constants.RSA_PKCS1_PSS_PADDING
  const bare = (_: Buffer, input: string) =>
    privateEncrypt(keys.pkcs1, createHash('sha256').update(input).digest())
  answerTable(t, stage, [
    ...[0, 20, 31, 33, 64].map((saltLength): Row => ({
      name: `#83 PS256 with ${saltLength} bytes of salt`,
      client: pss,
      proof: signed('sha256', { padding, saltLength }, keys.pss),
      answer: refused,
    })),
    {
      name: '#83 PS256 with 32 bytes of salt',
      client: pss,
      proof: signed('sha256', { padding, saltLength: 32 }, keys.pss),
      answer: '200',
    },
    {
      name: '#83 PS256 signed with SHA-384',
      client: pss,
      proof: signed('sha384', { padding, saltLength: 32 }, keys.pss),
      answer: refused,
    },
    {
      name: '#83 PS256 signed as RS256',
      client: pss,
      proof: signed('sha256', {}, keys.pss),
      answer: refused,
    },
    {
      name: '#83 RS256 signed as PS256',
      client: pkcs1,
      proof: signed('sha256', { padding, saltLength: 32 }),
      answer: refused,
    },
    {
      name: '#83 RS256 signed with SHA-1',
      client: pkcs1,
      proof: signed('sha1', {}),
      answer: refused,
    },
    {
      name: '#83 RS256 over a bare hash',
      client: pkcs1,
      proof: { raw: { signature: bare } },
      answer: refused,
    },
    {
      name: '#83 RS256 with a byte too many',
      client: pkcs1,
      proof: { raw: { signature: (it) => Buffer.concat([Buffer.alloc(1), it]) } },
      answer: refused,
    },
  ])
})
