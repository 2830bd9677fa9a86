/** `debug: true`: a refusal says what was expected and received, and never what must stay secret. */
import { createHash } from 'node:crypto'
import { exportJWK } from 'jose'
import t from 'tap'
import { REFUSALS } from '../src/denial.ts'
import { PROOF_CHECKS } from '../src/dpop/proof-checks.ts'
import { challengesOf } from './support/challenges.ts'
import { createClient, type Client, type ProofOptions } from './support/client.ts'
import { AUDIENCE } from './support/jwks-server.ts'
import { createStage, PUBLIC_URL, type Answer, type StageRequest } from './support/stage.ts'
import { until } from './support/until.ts'

const NOW = Math.floor(Date.now() / 1000)
const URL = `${PUBLIC_URL}/debug`

const routes = ({ url }: { readonly url: string }) => `\
- { name: debug, path: /debug, upstream: ${url}, debug: true }
- { name: nonce, path: /nonce, upstream: ${url}, debug: true, dpop: { nonce: required } }
- { name: plain, path: /plain, upstream: ${url} }
- { name: strict, path: /strict, upstream: ${url}, debug: true, scopes: [admin], acr: [mfa] }
- { name: admin, path: /admin, upstream: ${url}, debug: true, claims: { role: admin } }`

interface Row {
  readonly code: string
  readonly proof?: (parties: Parties) => Partial<ProofOptions> | Promise<Partial<ProofOptions>>
  readonly edit?: (proof: string) => string
  readonly twice?: true
  readonly path?: string
  readonly expected: unknown
  readonly received: unknown
  /** Undefined where nothing could be read. Default is 0. */
  readonly clock?: number | undefined
}

interface Parties {
  readonly token: string
  readonly client: Client
  readonly thief: Client
}

const claims = (members: object) => () => ({ claims: { ...members } })
const header = (members: object) => () => ({ header: { ...members } })
const weakKey = { kty: 'RSA', n: Buffer.alloc(128, 255).toString('base64url'), e: 'AQAB' }
const leaked = async ({ thief }: Parties) => ({
  header: { jwk: await exportJWK(thief.privateKey) },
})
const unknown = { clock: undefined }
const form = 'three parts of base64url; header and payload JSON objects, no member twice'
const nonceReceived = 'one that is not accepted, or no longer'

// prettier-ignore
const ROWS: readonly Row[] = [
  { code: 'proof_multiple', twice: true, expected: 1, received: 2 },
  { code: 'proof_too_large', edit: (proof) => proof + 'A'.repeat(8192), expected: 8192, received: Number },
  { code: 'proof_malformed', edit: (proof) => `${proof}.${proof}`, expected: form, received: 'something else', ...unknown },
  { code: 'proof_malformed', edit: () => '', expected: form, received: 'something else', ...unknown },
  { code: 'proof_claim_missing', proof: () => ({ omit: ['jti', 'ath'] }), expected: String, received: { missing: ['jti', 'ath'] } },
  { code: 'proof_claim_missing', proof: () => ({ omit: ['iat'] }), expected: String, received: { missing: ['iat'] }, ...unknown },
  { code: 'proof_target', proof: ({ token }) => ({ claims: { htu: token } }), expected: String, received: 'something longer' },
  { code: 'proof_type', proof: header({ typ: 'JWT' }), expected: 'dpop+jwt', received: 'JWT' },
  { code: 'proof_type', proof: ({ token }) => ({ header: { typ: token } }), expected: 'dpop+jwt', received: 'something longer' },
  { code: 'proof_algorithm', proof: header({ alg: 'none' }), expected: ['ES256', 'RS256'], received: 'none' },
  { code: 'proof_algorithm', proof: ({ token }) => ({ header: { alg: token } }), expected: ['ES256', 'RS256'], received: 'something longer' },
  { code: 'proof_key_private', proof: leaked, expected: 'public', received: 'private' },
  { code: 'proof_method', proof: claims({ htm: 'PUT' }), expected: 'GET', received: 'PUT' },
  { code: 'proof_method', proof: ({ token }) => ({ claims: { htm: token } }), expected: 'GET', received: 'something longer' },
  { code: 'proof_target', proof: claims({ htu: 'http://a:hush@api.example.com/x?hush#hush' }), expected: URL, received: 'http://api.example.com/x' },
  { code: 'proof_nonce', path: '/nonce', expected: 'the nonce in DPoP-Nonce', received: 'none' },
  { code: 'proof_nonce', path: '/nonce', proof: claims({ nonce: 'hush' }), expected: 'the nonce in DPoP-Nonce', received: nonceReceived },
  { code: 'proof_expired', proof: claims({ iat: NOW - 61 }), expected: { iatAtLeast: NOW - 60 }, received: { iat: NOW - 61 }, clock: 61 },
  { code: 'proof_premature', proof: claims({ iat: NOW + 31 }), expected: { atMost: NOW + 30 }, received: { iat: NOW + 31 }, clock: -31 },
  { code: 'proof_token_hash', proof: () => ({ token: 'another' }), expected: 'base64url(SHA-256(access token))', received: 'another value' },
  { code: 'proof_key_weak', proof: header({ alg: 'RS256', jwk: weakKey }), expected: 'a strong key', received: 'weak' },
  { code: 'proof_key', proof: header({ jwk: { kty: 'EC' } }), expected: 'a key for ES256', received: 'unusable' },
  { code: 'token_key_mismatch', proof: ({ thief }) => ({ signer: thief, header: { jwk: thief.publicJwk } }), expected: /^[\w-]{43}$/, received: /^[\w-]{43}$/ },
  { code: 'proof_signature', proof: ({ thief }) => ({ signer: thief }), expected: 'verifies with jwk', received: 'does not verify' },
]

t.test('there is a row for each check of a proof', async (t) => {
  const codes = (rows: readonly { readonly code: string }[]) => [
    ...new Set(rows.map(({ code }) => code)),
  ]
  t.strictSame(codes(ROWS).sort(), codes(PROOF_CHECKS).sort())
})

t.test('the refusal of a proof', async (t) => {
  const stage = await createStage(t, {
    routes,
    clock: () => NOW,
    settings: 'dpop: { algorithms: [ES256, RS256] }',
  })
  const thief = await createClient()
  const d = String((await exportJWK(thief.privateKey)).d)
  for (const { code, path = '/debug', expected, received, ...row } of ROWS) {
    const token = await stage.mint()
    const parties = { token, client: stage.client, thief }
    const proof = await stage.client.proof({
      url: PUBLIC_URL + path,
      token,
      ...(await timed(row.proof?.(parties))),
    })
    const sent = row.edit?.(proof) ?? proof
    const headers = row.twice ? ([['DPoP', sent]] as const) : []
    const send = (to: string) => stage.send({ token, proof: sent, path: to, headers })
    const answer = await send(path)
    const { requestId, ...body } = JSON.parse(answer.body) as Record<string, unknown>
    t.equal(body['code'], code, code)
    t.match(body, { expected, received }, code)
    const clock = 'clock' in row ? row.clock : 0
    t.equal(body['clockDifferenceSeconds'], clock, `${code}: clock`)
    t.equal(body['error_description'], REFUSALS[code as keyof typeof REFUSALS].description, code)

    await until(() => lineOf(stage.log(), requestId) !== undefined)
    const line = lineOf(stage.log(), requestId)
    t.match(line, { code, detail: /^§4\.3 \(\d+\) \{"expected":/ }, `${code}: the log has it too`)
    t.equal(line?.['clockDifferenceSeconds'], clock, `${code}: and the clock`)

    const hash = createHash('sha256').update(token)
    const { x = '', y = '' } = stage.client.publicJwk
    const secrets = [...token.split('.'), ...sent.split('.'), hash.digest('base64url'), x, y, d]
    const said = [answer.raw, JSON.stringify(line)].join('\n')
    for (const secret of [...secrets, 'hush', weakKey.n].filter(Boolean)) {
      t.notOk(said.includes(secret), `${code}: ${secret.slice(0, 30)}`)
    }
  }
})

/** `iat` is that of the stage, unless the row says so. */
async function timed(proof: ReturnType<NonNullable<Row['proof']>> = {}) {
  const given = await proof
  return { ...given, claims: { iat: NOW, ...given.claims } }
}

function lineOf(log: readonly Readonly<Record<string, unknown>>[], requestId: unknown) {
  return log.find((line) => line['requestId'] === requestId && line['msg'] === 'request')
}

const bodyOf = (answer: Answer) => JSON.parse(answer.body) as Record<string, unknown>
const PLAIN = ['error', 'error_description', 'code', 'requestId']

t.test('it is off unless asked for', async (t) => {
  const { send } = await createStage(t, { routes, clock: () => NOW })
  const requests: readonly StageRequest[] = [
    { proof: { method: 'PUT' } },
    { proof: { claims: { iat: NOW - 61 } } },
    { claims: { exp: 1 } },
  ]
  for (const request of requests) {
    const plain = await send({ ...request, path: '/plain' })
    t.strictSame(Object.keys(bodyOf(plain)), PLAIN, String(plain.code))
    const debug = await send({ ...request, path: '/debug' })
    t.strictSame(challengesOf(debug), challengesOf(plain), 'challenges are the same')
  }
})

t.test('what the route asks of the token', async (t) => {
  const { send } = await createStage(t, { routes, clock: () => NOW })
  const strict = bodyOf(await send({ path: '/strict', claims: { scope: 'read' } }))
  t.match(strict, { code: 'scope_insufficient', expected: ['admin'], received: ['read'] })
  const login = bodyOf(await send({ path: '/strict', claims: { scope: 'admin', acr: 'pwd' } }))
  t.match(login, { code: 'authentication_insufficient', expected: ['mfa'], received: 'pwd' })
  const without = bodyOf(await send({ path: '/strict', claims: { scope: 'admin' } }))
  t.match(without, { received: 'none' })
  const claim = bodyOf(await send({ path: '/admin', claims: { role: 'hush' } }))
  t.strictSame(Object.keys(claim), PLAIN, 'claim_refused: a claim may be anything')
  const replayed = { proof: { claims: { jti: 'one' } }, path: '/debug' }
  await send(replayed)
  t.strictSame(Object.keys(bodyOf(await send(replayed))), PLAIN, 'proof_replayed')
})

t.test('the refusal of a token', async (t) => {
  const stage = await createStage(t, { routes, clock: () => NOW })
  const { issuer } = stage.authority
  const rows = [
    { code: 'token_audience', claims: { aud: 'b' }, expected: [AUDIENCE], received: ['b'] },
    { code: 'token_issuer', claims: { iss: `${issuer}/` }, expected: [issuer] },
    { code: 'token_expired', claims: { exp: NOW - 60 }, expected: { expAfter: NOW - 30 } },
    { code: 'token_premature', claims: { nbf: NOW + 60 }, expected: { nbfAtMost: NOW + 30 } },
  ] as const
  for (const { code, claims, expected, ...row } of rows) {
    const answer = await stage.send({ path: '/debug', claims })
    const body = bodyOf(answer)
    t.match(body, { code, expected, ...row })
    await until(() => lineOf(stage.log(), body['requestId']) !== undefined)
    const line = lineOf(stage.log(), body['requestId'])
    t.match(line, { code, detail: JSON.stringify(expected) }, `${code}: the log has it too`)
  }
})
