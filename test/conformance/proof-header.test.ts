/** Group B: typ, alg and extensions in the header of a proof (RFC 9449 §4.3 (4) and (5)). */
import { createHmac } from 'node:crypto'
import t from 'tap'
import { createClient } from '../support/client.ts'
import { createStage } from '../support/stage.ts'
import { encode } from './forge.ts'
import { answerTable, outcome, sendRow, type Row } from './table.ts'

const type: Row[] = [
  { name: '#54 typ missing', proof: { omit: ['typ'] }, answer: '401 proof_type' },
  ...[
    'JWT',
    'at+jwt',
    'secevent+jwt',
    'jwt+dpop',
    'dpop+jwt+x',
    'dpop',
    '',
    ' dpop+jwt',
    'dpop+jwt\n',
    'application/application/dpop+jwt',
    'text/dpop+jwt',
    'dpop+jwt;charset=utf-8',
    'dp\u043ep+jwt',
  ].map((typ) => ({
    name: `#55 typ ${JSON.stringify(typ)}`,
    proof: { header: { typ } },
    answer: '401 proof_type',
  })),
  ...[true, 1, null, ['dpop+jwt'], { typ: 'dpop+jwt' }].map((typ) => ({
    name: `#56 typ ${JSON.stringify(typ)}`,
    proof: { header: { typ } },
    answer: '401 proof_type',
  })),
  ...['DPoP+JWT', 'application/dpop+jwt', 'APPLICATION/dpop+jwt'].map((typ) => ({
    name: `#57 typ ${typ}`,
    proof: { header: { typ } },
    answer: '200',
  })),
]

const algorithm: Row[] = [
  { name: '#58 alg missing', proof: { omit: ['alg'] }, answer: '401 proof_algorithm' },
  ...['none', 'None', 'NONE', 'nOnE', ''].flatMap((alg) => [
    {
      name: `#59 alg ${JSON.stringify(alg)}`,
      proof: { header: { alg } },
      answer: '401 proof_algorithm',
    },
    {
      name: `#59 alg ${JSON.stringify(alg)} and no signature`,
      proof: { header: { alg }, raw: { signature: () => Buffer.alloc(0) } },
      answer: '401 proof_algorithm',
    },
  ]),
  ...['HS256', 'HS384', 'HS512'].map((alg) => ({
    name: `#60 alg ${alg}`,
    proof: { header: { alg, jwk: { kty: 'oct', k: encode('secret') } }, raw: hmac('secret') },
    answer: '401 proof_algorithm',
  })),
  ...[1, true, null, [], ['ES256'], { toString: 'ES256' }].map((alg) => ({
    name: `#61 alg ${JSON.stringify(alg)}`,
    proof: { header: { alg } },
    answer: '401 proof_algorithm',
  })),
  ...['ES256K', 'RS1', 'RS384', 'RSA-OAEP', 'toString', '__proto__', 'constructor'].map((alg) => ({
    name: `#62 alg ${alg}`,
    proof: { header: { alg } },
    answer: '401 proof_algorithm',
  })),
  ...['es256', 'Es256', 'ES256 ', 'eddsa'].map((alg) => ({
    name: `#63 alg ${JSON.stringify(alg)}`,
    proof: { header: { alg } },
    answer: '401 proof_algorithm',
  })),
]

function hmac(secret: string) {
  return {
    signature: (_: Buffer, input: string) => createHmac('sha256', secret).update(input).digest(),
  }
}

const extensions: Row[] = [
  ...[['x'], [], ['exp'], ['alg'], ['jwk', 'typ'], 'x', null, true, {}].map((crit) => ({
    name: `#69 #70 crit ${JSON.stringify(crit)}`,
    proof: { header: { crit, x: 1 } },
    answer: '401 proof_malformed',
  })),
  {
    name: '#71 crit b64 with b64 false',
    proof: { header: { crit: ['b64'], b64: false } },
    answer: '401 proof_malformed',
  },
  {
    name: '#72 b64 false without crit',
    proof: { header: { b64: false } },
    answer: '401 proof_malformed',
  },
  { name: '#72 b64 true is as without', proof: { header: { b64: true } }, answer: '200' },
  {
    name: '#73 unknown header members',
    proof: { header: { x: 1, iat: 'x', y: [null, { z: {} }] } },
    answer: '200',
  },
  {
    name: '#73 __proto__ brings no members',
    proof: { header: proto({ typ: 'dpop+jwt' }), omit: ['typ'] },
    answer: '401 proof_type',
  },
  {
    name: '#74 unknown claims',
    proof: { claims: { x: [1], y: { z: 1 }, iss: 1, aud: ['x'], sub: null, nonce: 1, typ: 'x' } },
    answer: '200',
  },
  {
    name: '#74 __proto__ brings no claims',
    proof: { claims: proto({ htm: 'GET' }), omit: ['htm'] },
    answer: '401 proof_claim_missing',
  },
  { name: '#76 zip', proof: { header: { zip: 'DEF' } }, answer: '401 proof_malformed' },
  ...['JWT', 'jwt', 'application/jwt'].map((cty) => ({
    name: `#76 cty ${cty}`,
    proof: { header: { cty } },
    answer: '401 proof_malformed',
  })),
  { name: '#76 cty of something else', proof: { header: { cty: 'json' } }, answer: '200' },
]

/** A member of its own that is called `__proto__`, as JSON has it. */
function proto(value: object): Record<string, unknown> {
  return JSON.parse(`{"__proto__":${JSON.stringify(value)}}`) as Record<string, unknown>
}

t.test('the header of a proof', async (t) => {
  answerTable(t, await createStage(t), [...type, ...algorithm, ...extensions])
})

t.test('every algorithm', async (t) => {
  const stage = await createStage(t)
  const settings = 'dpop: { algorithms: [ES256, PS256, EdDSA] }'
  const strict = await createStage(t, { settings })
  for (const alg of ['ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512', 'RS256'] as const) {
    const client = await createClient(alg)
    answerTable(t, stage, [{ name: `#62 ${alg} by default`, client, answer: '200' }])
    const answer = ['ES256', 'PS256'].includes(alg) ? '200' : '401 proof_algorithm'
    answerTable(t, strict, [{ name: `#64 ${alg} where three are accepted`, client, answer }])
  }
  const client = await createClient('Ed25519')
  for (const alg of ['EdDSA', 'Ed25519']) {
    const proof = { header: { alg } }
    answerTable(t, strict, [{ name: `#67 ${alg}`, client, proof, answer: '200' }])
  }
  for (const alg of ['RS384', 'RS512'] as const) {
    const name = `#62 ${alg} is not a default`
    answerTable(t, stage, [
      { name, client: await createClient(alg), answer: '401 proof_algorithm' },
    ])
  }
})

t.test('#75 key locations are not looked at', async (t) => {
  const stage = await createStage(t)
  const { authority, upstream, client } = stage
  const fetched = authority.requests.jwks
  for (const name of ['jku', 'x5u', 'kid', 'x5c', 'x5t']) {
    const url = `${upstream.url}/${name}`
    const header = { [name]: name === 'x5c' ? [url] : url }
    t.equal(outcome(await sendRow(stage, { proof: { header } })), '200', name)
    const other = { header, omit: ['jwk'] }
    t.equal(outcome(await sendRow(stage, { proof: other, client })), '401 proof_key', name)
  }
  t.equal(upstream.requests.length, 5, 'the admitted ones')
  t.equal(authority.requests.jwks, fetched)
})
