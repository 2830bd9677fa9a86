/** Group B: JSON that two readers could read differently, or that costs more than it is worth. */
import t from 'tap'
import { createStage } from '../support/stage.ts'
import { answerTable, type Row } from './table.ts'

const refused = '401 proof_malformed'

/** Puts `text` before the other members, of which it repeats one. */
const before = (text: string) => (object: string) => `{${text},${object.slice(1)}`

const duplicates: Row[] = [
  ...['"alg":"none"', '"alg":"ES256"', '"jwk":{}', '"typ":"JWT"'].map((member) => ({
    name: `#50 twice in the header: ${member}`,
    forgery: { header: before(member) },
    answer: refused,
  })),
  ...['htm', 'htu', 'jti', 'ath', 'iat'].map((name) => ({
    name: `#51 twice in the payload: ${name}`,
    forgery: { payload: before(`"${name}":"x"`) },
    answer: refused,
  })),
  {
    name: '#52 twice, once with an escape',
    forgery: { payload: before(String.raw`"ht\u006d":"POST"`) },
    answer: refused,
  },
  {
    name: '#52 twice, in an object inside',
    proof: { claims: { x: 0 } },
    forgery: { payload: (text) => text.replace('"x":0', '"x":[{"a":1,"a":1}]') },
    answer: refused,
  },
  {
    name: '#52 a name that is a value or in another object too',
    proof: { claims: { x: ['jti', { jti: 'jti' }, '{"jti":1,"jti":1}', ',"jti":'] } },
    answer: '200',
  },
  {
    name: '#51 __proto__ twice',
    forgery: { payload: before('"__proto__":{},"__proto__":{}') },
    answer: refused,
  },
]

const nested = (depth: number) => ({ x: Array.from({ length: depth }).reduce((it) => [it], 0) })

const size: Row[] = [
  { name: '#53 nested 32 deep', proof: { header: nested(31) }, answer: '200' },
  { name: '#53 nested 33 deep', proof: { header: nested(32) }, answer: refused },
  {
    name: '#53 nested 2000 deep',
    forgery: { payload: before(`"x":${'['.repeat(2000)}${']'.repeat(2000)}`) },
    answer: refused,
  },
  {
    name: '#53 an array of 4000',
    proof: { header: { x: Array.from({ length: 4000 }, () => 0) } },
    answer: '401 proof_too_large',
  },
]

t.test('the JSON of a proof', async (t) => {
  answerTable(t, await createStage(t), [...duplicates, ...size])
})
