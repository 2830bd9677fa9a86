/** docs/cases.md group A: where the access token and the proof stand, and where not. */
import t from 'tap'
import { readCredentials } from '../../src/dpop/credentials.ts'
import type { Header } from '../support/raw-http.ts'
import { createStage, PUBLIC_URL, type StageRequest } from '../support/stage.ts'

interface Valid {
  readonly token: string
  readonly proof: string
  /** Another proof that is valid for the same request. */
  readonly other: string
}

interface Row {
  readonly name: string
  readonly fields: (valid: Valid) => readonly Header[]
  readonly request?: Omit<StageRequest, 'credentials'>
  readonly code?: string
  readonly status: number
}

const form = 'application/x-www-form-urlencoded'
const dpop = (token: string): Header => ['Authorization', `DPoP ${token}`]
const proven = ({ token, proof }: Valid): Header[] => [dpop(token), ['DPoP', proof]]
/** A valid token with this in the place of the proof. */
const withProof = (write: (valid: Valid) => string) => (valid: Valid) =>
  [dpop(valid.token), ['DPoP', write(valid)]] as const
/** A valid proof with this in the place of the Authorization. */
const withAuthorization = (write: (token: string) => string) => (valid: Valid) =>
  [
    ['Authorization', write(valid.token)],
    ['DPoP', valid.proof],
  ] as const
const passes = { status: 200 }
const refused = (status: number) => (code: string) => ({ status, code })
const [badRequest, unauthorized] = [refused(400), refused(401)]
const challenged = unauthorized('credentials_missing')
const malformed = unauthorized('proof_malformed')

// prettier-ignore
const ROWS: readonly Row[] = [
  { name: '#1 a valid token and proof', fields: proven, ...passes },
  { name: '#2 neither Authorization nor DPoP', fields: () => [], ...challenged },
  { name: '#3 DPoP without Authorization', fields: ({ proof }) => [['DPoP', proof]], ...challenged },
  { name: '#4 Authorization without DPoP', fields: ({ token }) => [dpop(token)], ...badRequest('proof_missing') },
  { name: '#5 a bound token as Bearer', fields: ({ token }) => [['Authorization', `Bearer ${token}`]], ...unauthorized('token_bound') },
  { name: '#6 a bound token as Bearer with a proof', fields: withAuthorization((token) => `Bearer ${token}`), ...badRequest('credentials_mixed') },
  { name: '#7 scheme dpop', fields: withAuthorization((token) => `dpop ${token}`), ...passes },
  { name: '#7 scheme DPOP', fields: withAuthorization((token) => `DPOP ${token}`), ...passes },
  { name: '#7 scheme dpOp', fields: withAuthorization((token) => `dpOp ${token}`), ...passes },
  { name: '#8 field name dpop', fields: ({ token, proof }) => [dpop(token), ['dpop', proof]], ...passes },
  { name: '#8 field name DPOP', fields: ({ token, proof }) => [dpop(token), ['DPOP', proof]], ...passes },
  { name: '#9 two DPoP fields, different proofs', fields: (valid) => [...proven(valid), ['DPoP', valid.other]], ...unauthorized('proof_multiple') },
  { name: '#10 two DPoP fields, the same proof', fields: (valid) => [...proven(valid), ['dpop', valid.proof]], ...unauthorized('proof_multiple') },
  { name: '#11 a list of two proofs', fields: withProof(({ proof, other }) => `${proof}, ${other}`), ...malformed },
  { name: '#12 an empty proof', fields: withProof(() => ''), ...malformed },
  { name: '#12 a proof of spaces', fields: withProof(() => '   '), ...malformed },
  { name: '#13 a space inside of the proof', fields: withProof(({ proof }) => proof.replace('.', ' .')), ...malformed },
  { name: '#13 a tab inside of the proof', fields: withProof(({ proof }) => proof.replace('.', '.\t')), ...malformed },
  { name: '#13 a comma after the proof', fields: withProof(({ proof }) => `${proof},`), ...malformed },
  { name: '#14 a quoted proof', fields: withProof(({ proof }) => `"${proof}"`), ...malformed },
  { name: '#15 two Authorization fields, Bearer first', fields: (valid) => [['Authorization', `Bearer ${valid.token}`], ...proven(valid)], ...badRequest('credentials_multiple') },
  { name: '#15 two Authorization fields, DPoP first', fields: (valid) => [...proven(valid), ['Authorization', `Bearer ${valid.token}`]], ...badRequest('credentials_multiple') },
  { name: '#16 the same Authorization twice', fields: (valid) => [...proven(valid), dpop(valid.token)], ...badRequest('credentials_multiple') },
  { name: '#17 a scheme without a token', fields: withAuthorization(() => 'DPoP'), ...badRequest('credentials_malformed') },
  { name: '#17 a scheme and a space', fields: withAuthorization(() => 'DPoP '), ...badRequest('credentials_malformed') },
  { name: '#18 two spaces before the token', fields: withAuthorization((token) => `DPoP  ${token}`), ...passes },
  { name: '#19 something after the token', fields: withAuthorization((token) => `DPoP ${token} extra`), ...badRequest('credentials_malformed') },
  { name: '#19 parameters after the token', fields: withAuthorization((token) => `DPoP ${token}, realm="x"`), ...badRequest('credentials_malformed') },
  { name: '#20 a percent sign in the token', fields: withAuthorization((token) => `DPoP ${token}%`), ...unauthorized('token_malformed') },
  { name: '#20 a comma in the token', fields: withAuthorization((token) => `DPoP ${token},`), ...unauthorized('token_malformed') },
  { name: '#20 a quoted token', fields: withAuthorization((token) => `DPoP "${token}"`), ...unauthorized('token_malformed') },
  { name: '#22 a tab before the token', fields: withAuthorization((token) => `DPoP\t${token}`), ...badRequest('credentials_malformed') },
  { name: '#23 another scheme', fields: withAuthorization(() => 'Basic YTpi'), ...challenged },
  { name: '#23 a scheme that begins like ours', fields: withAuthorization((token) => `DPoP-2 ${token}`), ...challenged },
  { name: '#24 a token in the query alone', fields: () => [], request: { path: '/api/orders?access_token=x' }, ...challenged },
  { name: '#25 a second token in the query', fields: proven, request: { path: '/api/orders?access_token=x' }, ...badRequest('credentials_multiple') },
  { name: '#25 a second token in the query, in disguise', fields: proven, request: { path: '/api/orders?a=b&acc%65ss_token=' }, ...badRequest('credentials_multiple') },
  { name: '#26 a token in the body', fields: ({ proof }) => [['DPoP', proof], ['Content-Type', form]], request: { method: 'POST', body: 'access_token=x' }, ...challenged },
  { name: '#27 the token in Proxy-Authorization', fields: ({ token, proof }) => [['Proxy-Authorization', `DPoP ${token}`], ['DPoP', proof]], ...challenged },
  { name: '#28 more bytes of fields than the limit', fields: (valid) => [...proven(valid), ['X-Long', 'x'.repeat(17_000)]], ...refused(431)('headers_too_large') },
  { name: '#28 more fields than the limit', fields: (valid) => [...proven(valid), ...Array.from({ length: 98 }, (_, at): Header => [`X-${at}`, ''])], ...refused(431)('headers_too_large') },
  { name: '#29 a proof longer than the limit', fields: withProof(({ proof }) => proof + 'A'.repeat(8192)), ...unauthorized('proof_too_large') },
  { name: '#30 a token longer than the limit', fields: withAuthorization((token) => `DPoP ${token}${'A'.repeat(8192)}`), ...unauthorized('token_malformed') },
  { name: '#36 Connection nominates the credentials', fields: (valid) => [...proven(valid), ['Connection', 'DPoP, Authorization']], ...passes },
]

t.test('credentials', async (t) => {
  const { send, mint, client, upstream } = await createStage(t)
  for (const { name, fields, request = {}, status, code } of ROWS) {
    const token = await mint()
    const { method = 'GET', path = '/api/orders' } = request
    const prove = () => client.proof({ method, url: PUBLIC_URL + path, token })
    const valid = { token, proof: await prove(), other: await prove() }
    const before = upstream.requests.length
    const answer = await send({ ...request, credentials: fields(valid) })
    t.match({ status: answer.status, code: answer.code }, { status, code }, name)
    t.equal(upstream.requests.length - before, status === 200 ? 1 : 0, `${name}: upstream`)
    // RFC 6750 §3.1: without credentials in the request, the challenge names no error.
    const [challenge = ''] = answer.values('www-authenticate')
    if (code === 'credentials_missing')
      t.match(challenge, /^DPoP algs="[^"]+", resource_metadata="[^"]+"$/, name)
    else if (status === 401 || status === 400) t.match(challenge, /^DPoP error="[a-z_]+", /, name)
  }
})

t.test('#21 every character of a token68 is kept as it is', async (t) => {
  const token = 'Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU+/=='
  const fields = { authorization: [`DPoP ${token}`], proofs: ['proof'], query: '' }
  t.match(readCredentials(fields, 8192), { scheme: 'dpop', token, proofs: ['proof'] })
})

t.test('#35 a proof in the trailers is no proof', async (t) => {
  const { send, mint, client } = await createStage(t)
  const token = await mint()
  const proof = await client.proof({ method: 'POST', url: `${PUBLIC_URL}/api/orders`, token })
  const answer = await send({
    method: 'POST',
    credentials: [dpop(token), ['Transfer-Encoding', 'chunked'], ['Trailer', 'DPoP']],
    body: `1\r\na\r\n0\r\nDPoP: ${proof}\r\n\r\n`,
  })
  t.match(answer, { status: 400, code: 'proof_missing' })
})
