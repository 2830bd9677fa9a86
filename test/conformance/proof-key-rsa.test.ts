/** Group C: RSA keys in the header of a proof (RFC 7518 §3.3 and §6.3). */
import { exportJWK } from 'jose'
import t from 'tap'
import { createClient } from '../support/client.ts'
import { createStage } from '../support/stage.ts'
import { encode } from './forge.ts'
import { answerTable, type Row } from './table.ts'

const pad = Buffer.alloc(1)
const bytes = (member = '') => Buffer.from(member, 'base64url')

t.test('jwk with RSA', async (t) => {
  const stage = await createStage(t)
  const client = await createClient('RS256')
  const { publicJwk: jwk } = client
  const { d, p, q, dp, dq, qi } = await exportJWK(client.privateKey)
  const n = bytes(jwk.n)
  const even = Buffer.from(n.map((byte, at) => (at === n.length - 1 ? byte & 0xfe : byte)))
  const rows: readonly (readonly [name: string, members: object, answer: string])[] = [
    ['#87 private', { d, p, q, dp, dq, qi }, '401 proof_key_private'],
    ['#88 private but for d', { p, q, dp, dq, qi }, '401 proof_key_private'],
    ...['p', 'q', 'dp', 'dq', 'qi', 'oth'].map(
      (name) => [`#88 ${name} alone`, { [name]: 'AQAB' }, '401 proof_key_private'] as const,
    ),
    ['#95 1024 bits', { n: encode(odd(0x80, 128)) }, '401 proof_key_weak'],
    ['#95 2047 bits', { n: encode(odd(0x40, 256)) }, '401 proof_key_weak'],
    ['#95 2048 bits, of another key', { n: encode(odd(0x80, 256)) }, '401 token_key_mismatch'],
    ['#96 8192 bits, of another key', { n: encode(odd(0xff, 1024)) }, '401 token_key_mismatch'],
    ['#95 1 byte', { n: 'Aw' }, '401 proof_key_weak'],
    ['#96 8193 bits', { n: encode(odd(1, 1025)) }, '401 proof_key_weak'],
    ['#96 16384 bits', { n: encode(odd(255, 2048)) }, '401 proof_key_weak'],
    ...(
      [
        ['1', 'AQ'],
        ['2', 'Ag'],
        ['3', 'Aw'],
        ['65535', '__8'],
        ['65538', 'AQAC'],
      ] as const
    ).map(([name, e]) => [`#97 e = ${name}`, { e }, '401 proof_key_weak'] as const),
    ['#97 e of 9 bytes', { e: encode(odd(1, 9)) }, '401 proof_key_weak'],
    ['#97 an even modulus', { n: encode(even) }, '401 proof_key_weak'],
    ['#98 n with a leading zero', { n: encode(Buffer.concat([pad, n])) }, '401 proof_key'],
    ['#98 e with a leading zero', { e: 'AAEAAQ' }, '401 proof_key'],
    ['#98 e = 0', { e: 'AA' }, '401 proof_key'],
    ['#94 n padded', { n: `${jwk.n ?? ''}==` }, '401 proof_key'],
    ['#94 n empty', { n: '' }, '401 proof_key'],
    ['#94 e missing', { e: undefined }, '401 proof_key'],
    ['#101 alg PS256', { alg: 'PS256' }, '401 proof_key'],
  ]
  answerTable(t, stage, [
    { name: 'valid', client, answer: '200' },
    ...rows.map(([name, members, answer]): Row => {
      return { name, client, proof: { header: { jwk: { ...jwk, ...members } } }, answer }
    }),
  ])
})

/** An odd number of so many bytes. */
function odd(first: number, length: number): Buffer {
  return Buffer.concat([Buffer.from([first]), Buffer.alloc(length - 1, 0x55)])
}
