/** Every code of the table, brought about by what a client sends over a socket to a whole gateway. */
import t, { type Test } from 'tap'
import { REFUSALS, type DenialCode, type Refusal } from '../src/denial.ts'
import { introspected } from './support/introspected.ts'
import { THUMBPRINT } from './support/jwks-server.ts'
import { sendRaw, type Header } from './support/raw-http.ts'
import type { RawResponse } from './support/raw-response.ts'
import { closedUrl, startRawUpstream } from './support/raw-upstream.ts'
import { createStage, type Stage, type StageOptions, type StageRequest } from './support/stage.ts'
import type { BehaviourName } from './support/upstream.ts'
import { HANDSHAKE } from './support/web-socket.ts'

type Produce = (t: Test) => Promise<RawResponse>

/** A stage that is as usual but for this, and one request. */
const sends =
  (request: StageRequest | ((stage: Stage) => Promise<StageRequest>), options: StageOptions = {}) =>
  async (t: Test) => {
    const stage = await createStage(t, options)
    return stage.send(typeof request === 'function' ? await request(stage) : request)
  }
/** The answer to the second of two such requests. */
const sendsTwice =
  (request: StageRequest, options: StageOptions = {}) =>
  async (t: Test) => {
    const { send } = await createStage(t, options)
    await send(request)
    return send(request)
  }
const writes =
  (bytes: string, options: StageOptions = {}) =>
  async (t: Test) =>
    sendRaw((await createStage(t, options)).port, bytes)

const withHeaders = (...credentials: readonly Header[]) => sends({ credentials })
const authorization = (value: string): Header => ['Authorization', value]
const withProof = (proof: StageRequest['proof'] & {}) => sends({ proof })
const withClaims = (claims: object) => sends({ claims: { ...claims } })
/** A route that is as usual but for these keys. */
const route = (keys: string): StageOptions => ({
  routes: ({ url }) => `- { name: api, path: /api/*, upstream: ${url}, ${keys} }`,
})
const server = (keys: string): StageOptions => ({
  server: `  publicUrl: https://api.example.com\n  ${keys}`,
})
const LATER = 9e9
const WEAK_KEY = { kty: 'RSA', n: Buffer.alloc(128, 255).toString('base64url'), e: 'AQAB' }
const UNSIGNED = Buffer.from('{"typ":"at+jwt","alg":"none"}').toString('base64url')
const HOST: Header = ['Host', 'other.example']

const ROWS: Readonly<Record<DenialCode, Produce>> = {
  credentials_missing: withHeaders(),
  credentials_malformed: withHeaders(authorization('DPoP')),
  credentials_multiple: withHeaders(authorization('DPoP x'), authorization('DPoP x')),
  credentials_mixed: withHeaders(authorization('Bearer x'), ['DPoP', 'x']),
  proof_missing: withHeaders(authorization('DPoP x')),

  proof_multiple: sends({ headers: [['DPoP', 'x']] }),
  proof_malformed: withProof('x'),
  proof_too_large: withProof('x'.repeat(8193)),
  proof_type: withProof({ header: { typ: 'JWT' } }),
  proof_algorithm: withProof({ header: { alg: 'none' } }),
  proof_key: withProof({ header: { jwk: {} } }),
  proof_key_private: withProof({ header: { jwk: { d: '' } } }),
  proof_key_weak: withProof({ header: { alg: 'RS256', jwk: WEAK_KEY } }),
  proof_claim_missing: withProof({ omit: ['jti'] }),
  proof_method: withProof({ method: 'PUT' }),
  proof_target: withProof({ url: 'https://other.example' }),
  proof_nonce: sends({}, { settings: 'dpop: { nonce: required }' }),
  proof_expired: withProof({ claims: { iat: 1 } }),
  proof_premature: withProof({ claims: { iat: LATER } }),
  proof_token_hash: withProof({ token: 'another' }),
  proof_signature: withProof({ raw: { signature: () => Buffer.alloc(64, 1) } }),
  proof_replayed: sendsTwice({ proof: { claims: { jti: 'one' } } }),

  token_malformed: sends({ token: 'x' }),
  token_type: sends({ tokenHeader: { typ: 'dpop+jwt' } }),
  token_algorithm: sends(async ({ mint }) => ({
    token: (await mint()).replace(/^[^.]+/, UNSIGNED),
  })),
  token_signature: sends({ tokenHeader: { kid: 'another' } }),
  token_issuer: withClaims({ iss: 'https://other.example' }),
  token_audience: withClaims({ aud: 'https://other.example' }),
  token_expired: withClaims({ exp: 1 }),
  token_premature: withClaims({ nbf: LATER }),
  token_inactive: sends({ token: 'opaque' }, { issuer: introspected() }),
  token_unbound: withClaims({ cnf: undefined }),
  token_key_mismatch: withClaims({ cnf: { jkt: THUMBPRINT } }),
  token_bound: sends(async ({ mint }) => ({
    credentials: [authorization(`Bearer ${await mint()}`)],
  })),

  authentication_insufficient: sends({}, route('acr: [mfa]')),
  scope_insufficient: sends({}, route('scopes: [admin]')),
  claim_refused: sends({}, route('claims: { role: admin }')),

  replay_store_unavailable: sendsTwice({}, { settings: 'replay: { maxEntries: 1 }' }),
  async issuer_unavailable(t) {
    const iss = await closedUrl()
    const options = { issuer: `issuer: ${iss}`, awaitReady: false }
    return sends({ claims: { iss } }, options)(t)
  },
  overloaded: sendsTwice({}, { settings: 'replay: { maxEntriesPerKey: 1 }' }),

  path_invalid: sends({ path: '/api/../x' }),
  host_invalid: withHeaders(HOST, HOST),
  header_invalid: writes('no HTTP at all\r\n\r\n'),
  request_timeout: writes('GET /x', server('timeouts: { headers: 100ms, request: 200ms }')),
  body_too_large: sends({ method: 'POST', body: 'ab' }, server('limits: { bodyBytes: 1B }')),
  expectation_unknown: sends({ headers: [['Expect', 'a-pony']] }),
  headers_too_large: sends({ headers: [['X-Long', 'x'.repeat(17_000)]] }),
  version_unsupported: writes('GET /x HTTP/4.2\r\nHost: a\r\n\r\n'),

  origin_unknown: sends({ headers: [HOST] }, { server: '  publicUrl: [https://api.example.com]' }),
  route_unknown: sends({ path: '/none' }),
  method_unknown: sends({ method: 'PUT' }, route('methods: [GET]')),

  websocket_refused: sends({ headers: HANDSHAKE }),
  origin_refused: sends(
    { headers: [...HANDSHAKE, ['Origin', 'https://evil.example']] },
    route('websocket: true, cors: { origins: [https://app.example.com] }'),
  ),

  upstream_unreachable: behindUpstreamThat('reset'),
  async upstream_invalid(t) {
    const { url } = await startRawUpstream(t, (socket) => socket.end('no HTTP at all\r\n\r\n'))
    return sends({}, { routes: () => `- { name: api, path: /api/*, upstream: ${url} }` })(t)
  },
  upstream_timeout: behindUpstreamThat('hang', route('timeouts: { response: 50ms }')),
}

function behindUpstreamThat(behaviour: BehaviourName, options?: StageOptions): Produce {
  return async (t) => {
    const { send, upstream } = await createStage(t, options)
    upstream.behave(behaviour)
    return send()
  }
}

t.test('every code has a row, and there are no others', async (t) => {
  t.strictSame(Object.keys(ROWS).sort(), Object.keys(REFUSALS).sort())
})

for (const [code, produce] of Object.entries(ROWS)) {
  t.test(code, async (t) => {
    const { status, error, description, challenge, close }: Refusal = REFUSALS[code as DenialCode]
    const answer = await produce(t)
    const { requestId, ...body } = JSON.parse(answer.body) as Record<string, unknown>
    t.match(requestId, /^[\da-f-]{36}$/)
    t.strictSame(body, { ...(error && { error }), error_description: description, code })
    t.equal(answer.status, status)
    const challenges = answer.values('www-authenticate')
    t.equal(challenges.length, challenge ? 1 : 0, 'challenge')
    if (challenge && error) t.match(challenges, [new RegExp(`^DPoP error="${error}", `)])
    if (close) t.strictSame(answer.values('connection'), ['close'])
    t.equal(answer.values('retry-after').length, status === 503 ? 1 : 0, 'Retry-After')
    t.equal(answer.values('dpop-nonce').length, code === 'proof_nonce' ? 1 : 0, 'DPoP-Nonce')
    t.equal(answer.values('allow').length, status === 405 ? 1 : 0, 'Allow')
    t.strictSame(answer.values('cache-control'), ['no-store'])
  })
}
