/** The access log: a line for each request, and never what a client must keep to itself. */
import t, { type Test } from 'tap'
import { exportJWK } from 'jose'
import { sendRaw } from '../support/raw-http.ts'
import { createStage, PUBLIC_URL, type Stage, type StageOptions } from '../support/stage.ts'
import { until } from '../support/until.ts'

const [INFO, WARN] = [30, 40]

async function createRecorded(t: Test, options?: StageOptions) {
  const stage = await createStage(t, options)
  const lines = () => stage.log().filter(({ msg }) => msg === 'request')
  /** The lines once there are `count` of them: the client has its answer a moment earlier. */
  const logged = async (count: number) => {
    await until(() => lines().length >= count)
    return lines()
  }
  return { ...stage, lines, logged }
}

t.test('a request that passed', async (t) => {
  const { send, logged, client } = await createRecorded(t)
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  const traceparent = `00-${traceId}-b7ad6b7169203331-01`
  await send({ headers: [['traceparent', traceparent]] })
  const lines = await logged(1)
  t.equal(lines.length, 1)
  const { time, requestId, durationMs, decisionMs, ...rest } = lines[0] ?? {}
  t.strictSame(rest, {
    level: INFO,
    msg: 'request',
    method: 'GET',
    path: '/api/orders',
    route: 'api',
    status: 200,
    client: '127.0.0.1',
    subject: 'alice',
    clientId: 'app',
    thumbprint: client.thumbprint,
    issuer: 'main',
    traceId,
  })
  t.match(time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
  t.match(requestId, /^[\da-f-]{36}$/)
  t.ok(Number(decisionMs) > 0 && Number(decisionMs) <= Number(durationMs), String(durationMs))
})

t.test('a request that was refused', async (t) => {
  const now = Math.floor(Date.now() / 1000)
  const { send, logged } = await createRecorded(t, { clock: () => now })
  const answer = await send({ proof: { method: 'PUT', claims: { iat: now - 7 } } })
  const lines = await logged(1)
  t.equal(lines.length, 1)
  const { requestId } = JSON.parse(answer.body) as { requestId: string }
  const { time, durationMs, ...rest } = lines[0] ?? {}
  t.match({ time, durationMs }, { time: String, durationMs: Number })
  t.strictSame(rest, {
    level: INFO,
    msg: 'request',
    requestId,
    method: 'GET',
    path: '/api/orders',
    route: 'api',
    status: 401,
    client: '127.0.0.1',
    code: 'proof_method',
    detail: '§4.3 (8) {"expected":"GET","received":"PUT"}',
    clockDifferenceSeconds: 7,
  })
})

t.test('what was no request', async (t) => {
  const { port, logged } = await createRecorded(t)
  await sendRaw(port, 'no HTTP at all\r\n\r\n')
  const expected = { level: INFO, route: 'none', client: '127.0.0.1', code: 'header_invalid' }
  t.match(await logged(1), [expected])
})

t.test('what is alarming is a warning', async (t) => {
  const { send, logged, upstream, client } = await createRecorded(t)
  const leaked = await exportJWK(client.privateKey)
  await send({ proof: { header: { jwk: leaked } } })
  upstream.behave('reset')
  await send()
  const lines = await logged(2)
  t.match(lines, [
    { level: WARN, status: 401, code: 'proof_key_private' },
    { level: WARN, status: 502, code: 'upstream_unreachable' },
  ])
  t.notMatch(JSON.stringify(lines), String(leaked.d), 'and does not leak it further')
})

t.test('neither tokens nor proofs nor queries are logged', async (t) => {
  const { send, mint, client, log, logged, upstream } = await createRecorded(t)
  const [token, other] = [await mint(), await mint({ aud: 'https://elsewhere.example' })]
  const secrets = new Set(['hush', token, other])
  const path = '/api/orders?key=hush#hush'
  const prove = async (of: string, claims: Record<string, unknown> = {}) => {
    const htu = `${PUBLIC_URL}/api/orders?key=hush`
    const proof = await client.proof({ url: htu, token: of, claims: { htu, ...claims } })
    secrets.add(proof)
    return proof
  }
  const query = path.replace('#hush', '')
  const sent: readonly (readonly [
    code: string | undefined,
    request: Parameters<Stage['send']>[0],
  ])[] = [
    [undefined, { token, path: query, proof: await prove(token) }],
    ['proof_replayed', { token, path: query, proof: [...secrets].at(-1) ?? '' }],
    ['path_invalid', { token, path, proof: await prove(token) }],
    [
      'proof_target',
      { token, path: query, proof: await prove(token, { htu: `${PUBLIC_URL}/x?key=hush#hush` }) },
    ],
    ['proof_target', { token, path: query, proof: await prove(token, { htu: '?hush' }) }],
    [
      'proof_target',
      { token, path: query, proof: await prove(token, { htu: 'http://a:hush@b/' }) },
    ],
    ['proof_method', { token, path: query, proof: await prove(token, { htm: token }) }],
    ['token_audience', { token: other, path: query, proof: await prove(other) }],
    [
      'token_signature',
      {
        token: `${token.slice(0, -8)}AAAAAAA${token.slice(-1)}`,
        path: query,
        proof: await prove(token),
      },
    ],
    ['proof_malformed', { token, path: query, proof: `${await prove(token)}.${token}` }],
    [
      'credentials_malformed',
      { path: query, credentials: [['Authorization', `DPoP ${token} hush`]] },
    ],
    ['token_bound', { path: query, credentials: [['Authorization', `Bearer ${token}`]] }],
    [
      'credentials_multiple',
      { token, path: `/api/orders?access_token=${token}`, proof: await prove(token) },
    ],
    ['route_unknown', { token, path: '/none?key=hush', proof: await prove(token) }],
  ]
  for (const [code, request] of sent) t.equal((await send(request)).code, code)
  upstream.behave('truncated')
  await send({ token, path: query, proof: await prove(token) })

  const lines = await logged(sent.length + 1)
  t.equal(lines.length, sent.length + 1, 'a line each')
  const text = JSON.stringify(log())
  for (const secret of secrets) {
    // A JWT without its signature is as telling, and the signature is what makes it valid.
    for (const part of secret.split('.')) t.notOk(text.includes(part), part)
  }
})

t.test('accessLog: false writes no line of a request', async (t) => {
  const { send, lines, stop, log, port } = await createRecorded(t, {
    settings: 'log: { accessLog: false }',
  })
  await send()
  await send({ credentials: [] })
  await sendRaw(port, 'no HTTP at all\r\n\r\n')
  await stop()
  t.strictSame(lines(), [])
  t.ok(
    log().some(({ msg }) => msg === 'stopped'),
    'everything else is',
  )
})
