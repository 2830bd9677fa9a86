/** Group E: age of a proof and its use (RFC 9449 §4.3 (11) and §11.1). The clock stands still. */
import t from 'tap'
import { createClient } from '../support/client.ts'
import { createStage } from '../support/stage.ts'
import { answerTable, outcome, sendRow, type Row } from './table.ts'

const NOW = Math.floor(Date.now() / 1000)
const claims = (members: object) => ({ claims: { iat: NOW, ...members } })

/** A number that JSON can write and JavaScript cannot. */
const raw = (name: string, value: string) => ({
  payload: (json: string) => json.replace(new RegExp(`"${name}":[^,}]+`), `"${name}":${value}`),
})

const iat: Row[] = [
  { name: '#152 iat missing', proof: { omit: ['iat'] }, answer: '401 proof_claim_missing' },
  ...['', String(NOW), true, null, {}, [NOW]].map((value) => ({
    name: `#153 iat ${JSON.stringify(value)}`,
    proof: claims({ iat: value }),
    answer: '401 proof_claim_missing',
  })),
  ...(
    [
      ['#154 iat with a fraction', NOW - 0.5, '200'],
      ['#154 iat with a fraction, in the future', NOW + 29.5, '200'],
      ['#155 iat 0', 0, '401 proof_expired'],
      ['#155 iat negative', -NOW, '401 proof_expired'],
      ['#155 iat hugely negative', -1.7e308, '401 proof_expired'],
      ['#156 iat 2^63', 2 ** 63, '401 proof_premature'],
      ['#156 iat 1.7e308', 1.7e308, '401 proof_premature'],
      ['#157 iat in milliseconds', NOW * 1000, '401 proof_premature'],
      ['#158 iat 10 s ago', NOW - 10, '200'],
      ['#159 iat 10 s ahead', NOW + 10, '200'],
      ['#160 iat at the greatest age', NOW - 60, '200'],
      ['#160 iat a second older', NOW - 61, '401 proof_expired'],
      ['#160 iat a moment older', NOW - 60.001, '401 proof_expired'],
      ['#161 iat at the greatest skew', NOW + 30, '200'],
      ['#161 iat a second later', NOW + 31, '401 proof_premature'],
      ['#161 iat a moment later', NOW + 30.001, '401 proof_premature'],
      ['#162 iat an hour ago', NOW - 3600, '401 proof_expired'],
      ['#162 iat in an hour', NOW + 3600, '401 proof_premature'],
    ] as const
  ).map(([name, value, answer]) => ({ name, proof: claims({ iat: value }), answer })),
  ...['1e400', '-1e400'].map((value) => ({
    name: `#156 iat ${value}`,
    forgery: raw('iat', value),
    answer: '401 proof_claim_missing',
  })),
  { name: '#156 iat NaN', forgery: raw('iat', 'NaN'), answer: '401 proof_malformed' },
]

const others: Row[] = (
  [
    ['#164 exp past', { exp: NOW - 1 }, '401 proof_expired'],
    ['#164 exp now', { exp: NOW }, '401 proof_expired'],
    ['#164 exp past, iat ahead', { exp: NOW, iat: NOW + 30 }, '401 proof_expired'],
    [
      '#164 exp does not make an old proof good',
      { exp: NOW + 99, iat: NOW - 61 },
      '401 proof_expired',
    ],
    ['#165 exp future, nbf now', { exp: NOW + 1, nbf: NOW }, '200'],
    ['#165 nbf within the skew', { nbf: NOW + 30 }, '200'],
    ['#166 nbf beyond the skew', { nbf: NOW + 31 }, '401 proof_premature'],
    ['#166 nbf past does not make iat good', { nbf: 0, iat: NOW + 31 }, '401 proof_premature'],
    ['#167 exp text', { exp: String(NOW + 60) }, '401 proof_claim_missing'],
    ['#167 exp null', { exp: null }, '401 proof_claim_missing'],
    ['#167 nbf text', { nbf: String(NOW) }, '401 proof_claim_missing'],
    ['#167 nbf an object', { nbf: {} }, '401 proof_claim_missing'],
    ['#190 a nonce though nonces are off', { nonce: 'eyJ7S_zG.eyJH0-Z.HX4w-7v' }, '200'],
    ['#190 a nonce that is none', { nonce: {} }, '200'],
  ] as const
).map(([name, members, answer]) => ({ name, proof: claims(members), answer }))

const jti: Row[] = [
  { name: '#168 jti missing', proof: { omit: ['jti'] }, answer: '401 proof_claim_missing' },
  ...['', ' ', '\t\u00a0\u2003', 1, ['x'], {}, null, true].map((value) => ({
    name: `#169 #170 jti ${JSON.stringify(value)}`,
    proof: claims({ jti: value }),
    answer: '401 proof_claim_missing',
  })),
  { name: '#171 jti of 4000', proof: claims({ jti: 'x'.repeat(4000) }), answer: '200' },
  ...[
    ...['+JbCKxkk1T5t8o+5', '/=+', 'a:b', 'dpop:*', 'é', 'e\u0301', 'a\0b', 'a\nb', 'a\r\nSET x 1'],
    ...['{a}', '%00', '__proto__', 'constructor', '\ud800', '\u{1f511}', ' x', 'x '],
  ].map((value) => ({
    name: `#172 jti ${JSON.stringify(value)}`,
    proof: claims({ jti: value }),
    answer: '200',
  })),
]

t.test('iat, exp, nbf, jti', async (t) => {
  const stage = await createStage(t, { clock: () => NOW })
  answerTable(t, stage, [...iat, ...others, ...jti])
})

t.test('what a route sets otherwise', async (t) => {
  const settings = 'dpop: { maxAge: 5s, clockSkew: 0s }'
  const stage = await createStage(t, { settings, clock: () => NOW })
  answerTable(t, stage, [
    { name: '#160 at the greatest age', proof: claims({ iat: NOW - 5 }), answer: '200' },
    { name: '#160 older', proof: claims({ iat: NOW - 6 }), answer: '401 proof_expired' },
    { name: '#161 without skew, now', proof: claims({ iat: NOW }), answer: '200' },
    {
      name: '#161 without skew, ahead',
      proof: claims({ iat: NOW + 1 }),
      answer: '401 proof_premature',
    },
  ])
})

t.test('the second use', async (t) => {
  const stage = await createStage(t, { clock: () => NOW })
  const token = await stage.mint()
  const other = await createClient()
  const replayed = '401 proof_replayed'
  const first = { token, proof: claims({ jti: 'one' }) }
  const rows: readonly Row[] = [
    { ...first, name: 'the first use', answer: '200' },
    { ...first, name: '#173 the same claims again', answer: replayed },
    {
      name: '#174 same jti, other iat',
      token,
      proof: claims({ jti: 'one', iat: NOW - 1 }),
      answer: replayed,
    },
    { name: '#174 same jti, other token', proof: claims({ jti: 'one' }), answer: replayed },
    {
      name: '#175 same jti, other key',
      client: other,
      proof: claims({ jti: 'one' }),
      answer: '200',
    },
    {
      name: '#176 same jti, other URL',
      path: '/api/x',
      proof: claims({ jti: 'one' }),
      answer: replayed,
    },
    {
      name: '#176 same jti, other method',
      method: 'PUT',
      proof: claims({ jti: 'one' }),
      answer: replayed,
    },
    {
      name: '#174 same jti, header with another typ',
      proof: { ...claims({ jti: 'one' }), header: { typ: 'DPOP+JWT', kid: 'x' } },
      answer: replayed,
    },
    {
      name: '#174 same jti, written with escapes',
      proof: claims({ jti: 'one' }),
      forgery: raw('jti', String.raw`"\u006fne"`),
      answer: replayed,
    },
    { name: '#172 jti in another case is another', proof: claims({ jti: 'ONE' }), answer: '200' },
    { name: '#172 jti with a space is another', proof: claims({ jti: 'one ' }), answer: '200' },
  ]
  answerTable(t, stage, rows)
})

t.test('#173 one proof, letter by letter', async (t) => {
  const stage = await createStage(t)
  const token = await stage.mint()
  const proof = await stage.client.proof({ url: 'https://api.example.com/api/orders', token })
  const edit = () => proof
  t.equal(outcome(await sendRow(stage, { token, edit })), '200')
  t.equal(outcome(await sendRow(stage, { token, edit })), '401 proof_replayed')
})
