/** Group E: nonces, which say in the place of `iat` how fresh a proof is (RFC 9449 §8, §9, §11). */
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { createNonces } from '../../src/dpop/nonce.ts'
import { createClient } from '../support/client.ts'
import { readMetrics } from '../support/metrics.ts'
import { startRawUpstream } from '../support/raw-upstream.ts'
import { createStage, PUBLIC_URL, type Answer, type StageOptions } from '../support/stage.ts'
import { answerTable, outcome, sendRow, type Row } from './table.ts'

const NOW = Math.floor(Date.now() / 1000)
const LIFETIME = 300
const SECRET = 'the secret all instances of a test share'
const REQUIRED = `dpop: { nonce: required }\nnonce: { secrets: ['${SECRET}'] }`
/** RFC 9449 §8.1 */
const NQCHAR = /^[\x21\x23-\x5b\x5d-\x7e]+$/

const ours = createNonces({ secrets: [SECRET], lifetimeSeconds: LIFETIME })
const theirs = createNonces({ secrets: ['of somebody else'], lifetimeSeconds: LIFETIME })
const nonceAt = (age: number) => ours.current(NOW - age)
const good = nonceAt(0)

/** A gateway that requires nonces, at a time the test sets, and a client whose clock is right. */
async function createNonceStage(t: Test, options: StageOptions = {}) {
  let now = NOW
  const clock = () => Math.floor(now)
  const stage = await createStage(t, { settings: REQUIRED, clock, ...options })
  const token = await stage.mint({ exp: NOW + 1_000_000 })
  return {
    stage,
    token,
    /** Seconds from NOW on. */
    setTime: (seconds: number) => {
      now = NOW + seconds
    },
    ask: (claims: object = {}, row: Partial<Row> = {}) =>
      sendRow(stage, { token, proof: { claims: { iat: clock(), ...claims } }, ...row }),
  }
}

function newNonceOf(answer: Answer): string {
  const [nonce = ''] = answer.values('dpop-nonce')
  return nonce
}

/** RFC 9449 §9 and §8.2: what a client needs in order to try again, and nothing to be stored. */
function asksForNonce(t: Test, answer: Answer, name: string): void {
  t.equal(outcome(answer), '401 proof_nonce', name)
  const challenge = /^DPoP error="use_dpop_nonce", error_description="[^"]+", algs="[^"]+"/
  t.match(answer.values('www-authenticate'), [challenge], name)
  carriesNonce(t, answer, name)
}

function carriesNonce(t: Test, answer: Answer, name: string): void {
  const nonces = answer.values('dpop-nonce')
  t.equal(nonces.length, 1, `${name}: one DPoP-Nonce`)
  t.match(newNonceOf(answer), NQCHAR, `${name}: #193`)
  t.strictSame(answer.values('cache-control'), ['no-store'], `${name}: #194`)
}

const claims = (members: object) => ({ claims: { iat: NOW, nonce: good, ...members } })

t.test('a proof without a nonce that is accepted: use_dpop_nonce, and one that is', async (t) => {
  const { stage, ask } = await createNonceStage(t)
  const rows: readonly (readonly [name: string, claims: object])[] = [
    ['#185 none', {}],
    ['#187 empty', { nonce: '' }],
    ...[1, 1e400, true, null, {}, { nonce: good }, [good]].map(
      (nonce) => [`#187 ${JSON.stringify(nonce)}`, { nonce }] as const,
    ),
    ['#186 garbage', { nonce: 'eyJ7S_zG.eyJH0-Z.HX4w-7v' }],
    ['#186 the end is missing', { nonce: good.slice(0, -1) }],
    ['#186 padded', { nonce: `${good}==` }],
    ['#186 with a space', { nonce: ` ${good}` }],
    ['#186 as long as a proof may be', { nonce: 'A'.repeat(4000) }],
    ['#186 expired', { nonce: nonceAt(LIFETIME) }],
    ['#186 long expired', { nonce: nonceAt(1_000_000) }],
    ['#186 from the future', { nonce: nonceAt(-31) }],
    ['#188 of another secret', { nonce: theirs.current(NOW) }],
    ['#162 none, an hour old', { iat: NOW - 3600 }],
    ['#162 none, an hour ahead', { iat: NOW + 3600 }],
    ['another name for the claim', { Nonce: good, nonces: [good] }],
  ]
  for (const [name, members] of rows) {
    const answer = await ask(members)
    asksForNonce(t, answer, name)
    const again = await ask({ ...members, nonce: newNonceOf(answer) })
    t.equal(again.status, 200, `${name}: with the nonce of the refusal`)
  }
  const inHeader = { proof: { claims: { iat: NOW }, header: { nonce: good } } }
  asksForNonce(t, await ask({}, inHeader), 'a nonce in the header')
  asksForNonce(t, await ask(), '#191 none, though this client had some')
  const inField = { headers: [['DPoP-Nonce', good]] } as const
  asksForNonce(t, await ask({}, inField), 'a nonce in a field of the request')
  t.equal(stage.upstream.requests.length, rows.length, 'of each pair the second one')
  const metrics = await readMetrics(stage.adminPort)
  t.equal(metrics.get('dpop_refusals_total{route="api",code="proof_nonce"}'), rows.length + 3)
})

t.test('with a nonce iat may be anything, and all else is as ever', async (t) => {
  const { stage, token } = await createNonceStage(t)
  const infinite = { payload: (json: string) => json.replace(/"iat":\d+/, '"iat":1e400') }
  const rows: Row[] = [
    ...(
      [
        ['10 minutes ago', NOW - 600],
        ['in 10 minutes', NOW + 600],
        ['an hour ago', NOW - 3600],
        ['in an hour', NOW + 3600],
        ['0', 0],
        ['negative', -NOW],
        ['in milliseconds', NOW * 1000],
        ['2^63', 2 ** 63],
        ['1.7e308', 1.7e308],
        ['-1.7e308', -1.7e308],
        ['with a fraction', NOW + 0.5],
      ] as const
    ).map(([name, iat]) => ({ name: `#163 iat ${name}`, proof: claims({ iat }), answer: '200' })),
    {
      name: '#156 iat 1e400',
      proof: claims({}),
      forgery: infinite,
      answer: '401 proof_claim_missing',
    },
    {
      name: '#152 iat missing',
      proof: { ...claims({}), omit: ['iat'] },
      answer: '401 proof_claim_missing',
    },
    { name: '#164 exp past', proof: claims({ exp: NOW }), answer: '401 proof_expired' },
    { name: '#166 nbf future', proof: claims({ nbf: NOW + 31 }), answer: '401 proof_premature' },
    { name: '#165 exp future, nbf now', proof: claims({ exp: NOW + 1, nbf: NOW }), answer: '200' },
    { name: '#108 htm', proof: claims({ htm: 'PUT' }), answer: '401 proof_method' },
    { name: '#198 ath', proof: claims({ ath: 'x' }), answer: '401 proof_token_hash' },
    {
      name: '#78 signature',
      proof: { ...claims({}), signer: await createClient() },
      answer: '401 proof_signature',
    },
    {
      name: '#203 key',
      token,
      client: await createClient(),
      proof: claims({}),
      answer: '401 token_key_mismatch',
    },
  ]
  answerTable(t, stage, rows)
})

t.test('what is logged of a proof that has expired says nothing of iat', async (t) => {
  const { stage, ask } = await createNonceStage(t)
  const iat = NOW - 600
  t.equal(outcome(await ask({ nonce: good, iat, exp: NOW })), '401 proof_expired')
  const line = stage.log().find(({ code }) => code === 'proof_expired')
  const comparison = { expected: { expAfter: NOW }, received: { iat, exp: NOW } }
  t.equal(line?.['detail'], `§4.3 (11) ${JSON.stringify(comparison)}`)
})

t.test('nothing of a nonce is logged', async (t) => {
  const { stage, ask } = await createNonceStage(t)
  await ask()
  await ask({ nonce: 'one that was made up' })
  await ask({ nonce: good })
  const text = JSON.stringify(stage.log())
  t.match(text, 'the nonce in DPoP-Nonce')
  t.notMatch(text, 'made up')
  t.notMatch(text, good)
  t.notMatch(text, SECRET)
})

t.test('every 401 of a route with nonces brings one, once', async (t) => {
  const { stage, token } = await createNonceStage(t)
  const used = await stage.client.proof({ url: `${PUBLIC_URL}/api/orders`, token, ...claims({}) })
  t.equal((await stage.send({ token, proof: used })).status, 200)
  const bearer = [['Authorization', `Bearer ${token}`]] as const
  const rows = [
    ['credentials_missing', { credentials: [] }],
    ['token_malformed', { token: 'x' }],
    ['token_expired', { claims: { exp: 1 } }],
    ['token_audience', { claims: { aud: 'another' } }],
    ['token_unbound', { claims: { cnf: undefined } }],
    ['token_bound', { credentials: bearer }],
    ['proof_malformed', { proof: 'x' }],
    ['proof_method', { proof: claims({ htm: 'PUT' }) }],
    ['proof_replayed', { token, proof: used }],
    ['proof_nonce', {}],
  ] as const
  for (const [code, request] of rows) {
    const answer = await stage.send(request)
    t.equal(outcome(answer), `401 ${code}`)
    carriesNonce(t, answer, code)
  }
})

t.test('other refusals, and other routes, bring none', async (t) => {
  const routes = ({ url }: { readonly url: string }) => `\
- { name: scoped, path: /scoped, scopes: [admin], upstream: ${url} }
- { name: off, path: /off, dpop: { nonce: 'off' }, upstream: ${url} }
- { name: public, path: /public, access: public, upstream: ${url} }`
  const { stage } = await createNonceStage(t, { routes })
  const off = `401 credentials_missing`
  for (const [path, expected, request] of [
    ['/scoped', '403 scope_insufficient', {}],
    ['/unknown', '404 route_unknown', {}],
    ['/off', off, { credentials: [] }],
    ['/public', '200', { credentials: [] }],
  ] as const) {
    const answer = await stage.send({ path, proof: claims({}), ...request })
    t.equal(outcome(answer), expected)
    t.strictSame(answer.values('dpop-nonce'), [], expected)
  }
})

t.test('#188 a nonce is of the gateway, for all of its routes, keys and tokens', async (t) => {
  const routes = ({ url }: { readonly url: string }) => `\
- { name: one, path: /one, upstream: ${url} }
- { name: two, path: /two, dpop: { maxAge: 5s }, upstream: ${url} }`
  const settings = 'dpop: { nonce: required }'
  const { stage, ask } = await createNonceStage(t, { routes, settings })
  const nonce = newNonceOf(await ask({}, { path: '/one' }))
  const proof = { claims: { iat: NOW, nonce } }
  for (const row of [
    { path: '/one' },
    { path: '/two' },
    { path: '/two', method: 'POST' },
    { path: '/one', client: await createClient() },
  ]) {
    t.equal(outcome(await sendRow(stage, { ...row, proof })), '200')
  }
  const other = await createNonceStage(t, { routes, settings })
  asksForNonce(t, await other.ask({ nonce }, { path: '/one' }), 'of an instance that has another')
})

t.test('#189 #194 a new nonce comes with 200 in the second half of its life', async (t) => {
  const upstream = await startRawUpstream(t, (socket) => {
    socket.write(
      'HTTP/1.1 200 OK\r\nCache-Control: public, max-age=60\r\nContent-Length: 0\r\n\r\n',
    )
  })
  const routes = () => `- { name: api, path: /api/*, upstream: ${upstream.url} }`
  const { ask, setTime } = await createNonceStage(t, { routes })
  for (const age of [0, 1, LIFETIME / 2 - 1]) {
    setTime(age)
    const answer = await ask({ nonce: good })
    t.equal(answer.status, 200)
    t.strictSame(answer.values('dpop-nonce'), [], `${age} s old`)
    t.strictSame(answer.values('cache-control'), ['public, max-age=60'])
  }
  for (const age of [LIFETIME / 2, LIFETIME - 1]) {
    setTime(age)
    const answer = await ask({ nonce: good })
    t.equal(answer.status, 200)
    carriesNonce(t, answer, `${age} s old`)
    t.equal(newNonceOf(answer), nonceAt(-age))
    t.equal((await ask({ nonce: newNonceOf(answer) })).status, 200)
    t.equal((await ask({ nonce: good })).status, 200, 'the one before is not forgotten for that')
  }
  setTime(LIFETIME)
  asksForNonce(t, await ask({ nonce: good }), 'at its end')
})

t.test('#190 a nonce on a route that needs none is ignored', async (t) => {
  const settings = `nonce: { secrets: ['${SECRET}'] }`
  const { stage, ask } = await createNonceStage(t, { settings })
  for (const nonce of [good, 'garbage', '', {}]) {
    const answer = await ask({ nonce })
    t.equal(answer.status, 200)
    t.strictSame(answer.values('dpop-nonce'), [])
    t.equal(outcome(await ask({ nonce, iat: NOW - 61 })), '401 proof_expired')
    t.equal(outcome(await ask({ nonce, iat: NOW + 31 })), '401 proof_premature')
  }
  t.strictSame((await stage.send({ credentials: [] })).values('dpop-nonce'), [])
})

t.test('#192 #251 the nonce of an upstream never reaches the client', async (t) => {
  const upstream = await startRawUpstream(t, (socket, nth) => {
    const status = nth % 2 === 1 ? '200 OK' : '401 No'
    const fields = 'DPoP-Nonce: theirs\r\ndpop-nonce: theirs too\r\nContent-Length: 0'
    socket.write(`HTTP/1.1 ${status}\r\n${fields}\r\n\r\n`)
  })
  const routes = () => `\
- { name: api, path: /api/*, upstream: ${upstream.url} }
- { name: off, path: /off, dpop: { nonce: 'off' }, upstream: ${upstream.url} }
- { name: public, path: /public, access: public, upstream: ${upstream.url} }`
  const { ask } = await createNonceStage(t, { routes })
  for (const [path, nonce, nonces] of [
    ['/api/a', good, []],
    ['/off', good, []],
    ['/public', good, []],
    ['/api/a', nonceAt(LIFETIME - 1), [good]],
  ] as const) {
    for (const status of [200, 401]) {
      const answer = await ask({ nonce }, { path })
      t.equal(answer.status, status)
      t.equal(answer.code, undefined, 'the answer of the upstream')
      t.strictSame(answer.values('dpop-nonce'), nonces, `${path} ${status}`)
    }
  }
})

t.test(
  '#192 the one of an authorization server does, unless the gateway has its own',
  async (t) => {
    const upstream = await startRawUpstream(t, (socket) => {
      socket.write('HTTP/1.1 400 No\r\nDPoP-Nonce: theirs\r\nContent-Length: 0\r\n\r\n')
    })
    const routes = () => `\
- { name: off, path: /off, methods: [POST], access: proof, dpop: { nonce: 'off' }, upstream: ${upstream.url} }
- { name: token, path: /token, methods: [POST], access: proof, upstream: ${upstream.url} }`
    const { stage } = await createNonceStage(t, { routes })
    const send = async (path: string, nonce?: string) => {
      const url = PUBLIC_URL + path
      const proof = await stage.client.proof({ method: 'POST', url, claims: { iat: NOW, nonce } })
      return stage.send({ method: 'POST', path, credentials: [['DPoP', proof]] })
    }
    t.strictSame((await send('/off')).values('dpop-nonce'), ['theirs'])
    const refused = await send('/token')
    t.equal(outcome(refused), '400 proof_nonce', 'RFC 9449 §8')
    t.match(JSON.parse(refused.body), { error: 'use_dpop_nonce' })
    carriesNonce(t, refused, 'token endpoint')
    const passed = await send('/token', newNonceOf(refused))
    t.equal(passed.code, undefined)
    t.strictSame(passed.values('dpop-nonce'), [])
  },
)

t.test('#195 #196 a nonce is for many proofs, a proof for one request', async (t) => {
  const { ask, stage, token, setTime } = await createNonceStage(t)
  for (let count = 0; count < 20; count += 1) {
    t.equal((await ask({ nonce: good })).status, 200)
  }
  for (const ahead of [0, -600, 600]) {
    const iat = NOW + ahead
    const one = { url: `${PUBLIC_URL}/api/orders`, token, claims: { iat, nonce: good } }
    const proof = await stage.client.proof(one)
    setTime(0)
    t.equal((await stage.send({ token, proof })).status, 200, `a clock ${ahead} s ahead`)
    for (const age of [0, 1, LIFETIME / 2, LIFETIME - 1]) {
      setTime(age)
      const answer = await stage.send({ token, proof })
      t.equal(outcome(answer), '401 proof_replayed', `${age} s later`)
    }
    setTime(LIFETIME)
    asksForNonce(t, await stage.send({ token, proof }), 'when its nonce is over')
  }
})

t.test('#186 a client that keeps the newest nonce is asked for one once', async (t) => {
  const lifetimes = fc.integer({ min: 10_000, max: 14_000 })
  const steps = fc.array(fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constant(1)), {
    minLength: 20,
    maxLength: 40,
  })
  const run = async (lifetimeMs: number, parts: readonly number[], offset: number) => {
    const settings = `dpop: { nonce: required }\nnonce: { lifetime: ${lifetimeMs}ms }`
    const { stage, ask, setTime } = await createNonceStage(t, { settings })
    // In milliseconds, and each step smaller than half a lifetime.
    const longest = Math.ceil(lifetimeMs / 2) - 1
    let time = 0
    let nonce = newNonceOf(await ask())
    const refused: number[] = []
    for (const part of parts) {
      time += Math.floor(part * longest)
      setTime(time / 1000)
      const answer = await ask({ nonce, iat: NOW + time / 1000 + offset })
      if (answer.status !== 200) refused.push(time)
      nonce = newNonceOf(answer) || nonce
    }
    await stage.stop()
    return refused
  }
  await fc.assert(
    fc.asyncProperty(lifetimes, steps, fc.constantFrom(-600, 0, 600), async (...drawn) => {
      const refused = await run(...drawn)
      if (refused.length > 0) throw new Error(`refused at ${refused.join(', ')} ms`)
    }),
    { numRuns: 25, examples: [[11_000, [0.91, 1, 0.91, 1, 0.91, 1], 0]] },
  )
  t.pass()
})
