/** Group F: the proof belongs to the token and the token to the key (RFC 9449 §4.3 (12), §6, §7). */
import { createHash } from 'node:crypto'
import t from 'tap'
import { createClient } from '../support/client.ts'
import type { Overrides } from '../support/jwks-server.ts'
import type { Header } from '../support/raw-http.ts'
import { createStage, PUBLIC_URL } from '../support/stage.ts'
import { answerTable, outcome, sendRow, type Row } from './table.ts'

const sha256 = (text: string) => createHash('sha256').update(text)

t.test('#197 to #201 ath', async (t) => {
  const stage = await createStage(t)
  const token = await stage.mint()
  const [, payload = ''] = token.split('.')
  const right = sha256(token).digest('base64url')
  const ath = (value: unknown) => ({ token, proof: { claims: { ath: value } } })
  const rows: readonly (readonly [name: string, ath: unknown])[] = [
    ['#198 of another token', sha256(`${token}x`).digest('base64url')],
    ['#199 padded', `${right}=`],
    ['#199 in hexadecimal', sha256(token).digest('hex')],
    ['#199 with SHA-512', createHash('sha512').update(token).digest('base64url')],
    ['#199 in another case', right.toUpperCase()],
    ['#199 with a space', ` ${right}`],
    ['#199 cut short', right.slice(0, 20)],
    ['#200 in a spelling with unused bits', right.slice(0, -1) + next(right.slice(-1))],
    ['#201 of scheme and token', sha256(`DPoP ${token}`).digest('base64url')],
    ['#201 of the payload', sha256(payload).digest('base64url')],
    [
      '#201 of the claims',
      sha256(Buffer.from(payload, 'base64url').toString()).digest('base64url'),
    ],
    ['#201 of nothing', sha256('').digest('base64url')],
  ]
  answerTable(t, stage, [
    { name: '#197 missing', token, proof: { omit: ['ath'] }, answer: '401 proof_claim_missing' },
    ...['', null, 1, [right], { ath: right }].map((value): Row => {
      return {
        ...ath(value),
        name: `#199 ${JSON.stringify(value)}`,
        answer: '401 proof_claim_missing',
      }
    }),
    ...rows.map(([name, value]): Row => ({ ...ath(value), name, answer: '401 proof_token_hash' })),
    { ...ath(right), name: 'right', answer: '200' },
  ])
})

const next = (letter: string) => String.fromCharCode(letter.charCodeAt(0) + 1)

t.test('#199 ath in the standard alphabet', async (t) => {
  const stage = await createStage(t)
  let token = await stage.mint()
  while (!/[-_]/.test(sha256(token).digest('base64url'))) token = await stage.mint()
  const ath = sha256(token).digest('base64url').replaceAll('-', '+').replaceAll('_', '/')
  const answer = await sendRow(stage, { token, proof: { claims: { ath } } })
  t.equal(outcome(answer), '401 proof_token_hash')
})

t.test('#203 to #209 cnf', async (t) => {
  const stage = await createStage(t)
  const { thumbprint: jkt } = stage.client
  const other = await createClient()
  const hex = Buffer.from(jkt, 'base64url').toString('hex')
  const mismatch = '401 token_key_mismatch'
  const unbound = '401 token_unbound'
  const rows: readonly (readonly [name: string, cnf: unknown, answer: string])[] = [
    ['#203 the key of another client', { jkt: other.thumbprint }, mismatch],
    ['#204 missing', undefined, unbound],
    ...[
      '',
      jkt,
      [jkt],
      1,
      true,
      null,
      {},
      { jkt: '' },
      { jkt: 1 },
      { jkt: null },
      { jkt: [jkt] },
    ].map((cnf) => [`#205 ${JSON.stringify(cnf)}`, cnf, unbound] as const),
    ['#205 jkt of __proto__', JSON.parse(`{"__proto__":{"jkt":"${jkt}"}}`), unbound],
    ['#206 padded', { jkt: `${jkt}=` }, unbound],
    ['#206 in hexadecimal', { jkt: hex }, unbound],
    ['#206 in another case', { jkt: swapCase(jkt) }, mismatch],
    [
      '#206 in a spelling with unused bits',
      { jkt: jkt.slice(0, -1) + next(jkt.slice(-1)) },
      unbound,
    ],
    ['#206 under another name', { JKT: jkt }, unbound],
    ['#207 members that bind to nothing', { jkt, 'kc-jkt-type': 'DPoP', kid: 'k' }, '200'],
    ['#208 a certificate as well', { jkt, 'x5t#S256': jkt }, unbound],
    ['#208 a key as well', { jkt, jwk: stage.client.publicJwk }, unbound],
    ['#209 a certificate alone', { 'x5t#S256': jkt }, unbound],
    ['#209 a key alone', { jwk: stage.client.publicJwk }, unbound],
  ]
  const bound = rows.map(([name, cnf, answer]): Row => ({ name, claims: { cnf }, answer }))
  answerTable(t, stage, bound)
})

/** The case of the first letter changed: another thumbprint, as well-formed. */
const swapCase = (text: string) =>
  text.replace(/[a-z]/i, (it) => (it < 'a' ? it.toLowerCase() : it.toUpperCase()))

t.test('#210 #211 tokens with the Bearer scheme', async (t) => {
  const stage = await createStage(t)
  const url = `${PUBLIC_URL}/api/orders`
  const send = async (scheme: string, token: string, withProof: boolean) => {
    const proof = await stage.client.proof({ url, token })
    const headers: readonly Header[] = [
      ['Authorization', `${scheme} ${token}`],
      ['DPoP', proof],
    ]
    return outcome(await stage.send({ credentials: headers.slice(0, withProof ? 2 : 1) }))
  }
  const bound = await stage.mint()
  const unbound = await stage.mint({ cnf: undefined })
  t.equal(await send('Bearer', unbound, false), '401 token_unbound', '#210')
  t.equal(await send('Bearer', unbound, true), '400 credentials_mixed', '#211')
  t.equal(await send('Bearer', bound, false), '401 token_bound', '#5')
  t.equal(await send('Bearer', bound, true), '400 credentials_mixed', '#6')
  t.equal(await send('DPoP', bound, false), '400 proof_missing', '#4')
  t.equal(stage.upstream.requests.length, 0)
})

t.test('#212 to #214 tokens and proofs for something else', async (t) => {
  const stage = await createStage(t)
  const { client } = stage
  const token = await stage.mint()
  const foreign = (name: string, claims: Overrides, typ?: string): Row => {
    return { name: `#212 ${name}`, claims, tokenHeader: { typ }, answer: '401 token_type' }
  }
  const tokenProof = await client.proof({ method: 'POST', url: 'https://as.example.com/token' })
  answerTable(t, stage, [
    foreign('ID token', { nonce: 'n' }, 'JWT'),
    foreign('ID token without typ', { at_hash: 'h' }),
    foreign('refresh token', { typ: 'Refresh' }, 'JWT'),
    foreign('logout token', { events: {} }, 'logout+jwt'),
    foreign('a proof as a token', {}, 'dpop+jwt'),
    {
      name: '#213 the proof of a token request',
      token,
      edit: () => tokenProof,
      answer: '401 proof_claim_missing',
    },
    {
      name: '#213 the access token as a proof',
      token,
      edit: () => token,
      answer: '401 proof_claim_missing',
    },
    {
      name: '#214 a proof for another token of the same key',
      token,
      proof: { token: await stage.mint({ sub: 'bob' }) },
      answer: '401 proof_token_hash',
    },
    { name: '#212 the proof as a token', token: await selfIssued(), answer: '401 token_issuer' },
  ])

  /** A token that a client made for itself. */
  async function selfIssued(): Promise<string> {
    const claims = { cnf: { jkt: client.thumbprint }, iss: 'https://evil.example' }
    return client.proof({ url: PUBLIC_URL, header: { typ: 'at+jwt' }, claims })
  }
})
