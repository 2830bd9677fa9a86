/** docs/cases.md group I: what a client sees of the gateway itself, and what stays in the dark. */
import { connect } from 'node:net'
import { once } from 'node:events'
import t from 'tap'
import { openRaw, requestText, type Header } from '../support/raw-http.ts'
import { createStage, PUBLIC_URL, type StageRequest } from '../support/stage.ts'

const MARK = 'n0tT0BeSeen'

// prettier-ignore
const REFUSALS: readonly { readonly name: string; readonly request: StageRequest; readonly status: number; readonly code: string; readonly allow?: readonly string[] }[] = [
  { name: 'no credentials', request: { credentials: [] }, status: 401, code: 'credentials_missing' },
  { name: 'a malformed proof', request: { proof: `${MARK}.a.b` }, status: 401, code: 'proof_malformed' },
  { name: 'a proof for another URL', request: { proof: { url: `https://${MARK}.example/` } }, status: 401, code: 'proof_target' },
  { name: 'a proof with line ends and quotes', request: { proof: { claims: { htm: `"\r\n${MARK}` } } }, status: 401, code: 'proof_method' },
  { name: 'a token of nobody', request: { credentials: [['Authorization', `DPoP ${MARK}`], ['DPoP', MARK]] }, status: 401, code: 'token_malformed' },
  { name: 'a scope too few', request: { path: '/scoped', claims: { scope: MARK } }, status: 403, code: 'scope_insufficient' },
  { name: 'an unknown path', request: { path: `/${MARK}` }, status: 404, code: 'route_unknown' },
  { name: 'a method the route does not take', request: { path: '/scoped', method: 'DELETE' }, status: 405, code: 'method_unknown', allow: ['GET, HEAD, POST'] },
  { name: '#113 TRACE', request: { method: 'TRACE' }, status: 405, code: 'method_unknown', allow: ['GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'] },
]

const routes = ({ url }: { readonly url: string }) => `\
- { name: api, path: /api/*, upstream: ${url} }
- { name: scoped, path: /scoped, methods: [GET, POST], scopes: [admin], upstream: ${url} }
- { name: public, path: /public, access: public, upstream: ${url} }`

t.test('#253 a refusal is JSON, is stored nowhere and repeats nothing', async (t) => {
  const { send, mint, client } = await createStage(t, { routes })
  for (const { name, request, status, code, allow = [] } of REFUSALS) {
    const headers: readonly Header[] = [['X-Any', MARK]]
    const answer = await send({ ...request, headers })
    t.match({ status: answer.status, code: answer.code }, { status, code }, name)
    const body = JSON.parse(answer.body) as Record<string, unknown>
    t.match(body, { error_description: String, requestId: /^[\da-f-]{36}$/ }, name)
    t.notMatch(answer.raw, MARK, `${name}: #259`)
    t.strictSame(answer.values('content-type'), ['application/json'], name)
    t.strictSame(answer.values('cache-control'), ['no-store'], name)
    t.strictSame(answer.values('allow'), allow, name)
    t.match(answer.values('date'), [/ GMT$/], `${name}: #252`)
    const challenges = answer.values('www-authenticate').length
    t.equal(challenges, status === 401 || status === 403 ? 1 : 0, `${name}: challenge`)
    t.strictSame(answer.values('connection'), ['keep-alive'], `${name}: nothing was left unread`)
  }
  const token = await mint()
  const proof = await client.proof({ url: `${PUBLIC_URL}/other`, token })
  const { raw } = await send({ token, proof })
  t.notMatch(raw, token)
  t.notMatch(raw, proof)
})

t.test('#253 a head has no body', async (t) => {
  const { send } = await createStage(t, { routes })
  const refused = await send({ method: 'HEAD', credentials: [] })
  t.match(refused, { status: 401, body: '' })
  t.match(refused.values('content-length'), [/^[1-9]\d+$/])
  t.match(await send({ method: 'HEAD' }), { status: 200, body: '' })
})

t.test('#112 any method passes that the proof is for', async (t) => {
  const { send, upstream } = await createStage(t, { routes })
  for (const method of ['POST', 'OPTIONS', 'PROPFIND', 'REPORT', 'M-SEARCH', 'PURGE']) {
    t.equal((await send({ method })).status, 200, method)
    t.equal(upstream.requests.at(-1)?.method, method)
    const other = { method: method === 'POST' ? 'GET' : 'POST' }
    t.match(await send({ method, proof: other }), { status: 401, code: 'proof_method' }, method)
  }
})

t.test('#254 Expect: 100-continue gets no 100 before the request is authorized', async (t) => {
  const { port, mint, client, upstream } = await createStage(t, { routes })
  const headers: readonly Header[] = [
    ['Expect', '100-continue'],
    ['Content-Length', '4'],
  ]
  const post = { method: 'POST', path: '/api/x' }
  const refused = await openRaw(port)
  refused.write(requestText(port, { ...post, headers }))
  const answer = await refused.read()
  t.match(answer.raw, /^HTTP\/1.1 401 /)
  t.strictSame(answer.values('connection'), ['close'])
  t.equal(await refused.closed(), '')
  refused.end()

  const token = await mint()
  const proof = await client.proof({ method: 'POST', url: `${PUBLIC_URL}/api/x`, token })
  const credentials: readonly Header[] = [
    ['Authorization', `DPoP ${token}`],
    ['DPoP', proof],
  ]
  const admitted = await openRaw(port)
  admitted.write(requestText(port, { ...post, headers: [...credentials, ...headers] }))
  await once(upstream.server, 'connection')
  admitted.write('body')
  const passed = await admitted.read()
  t.match(passed.raw, /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK\r\n/)
  t.match(upstream.requests, [{ body: 'body' }])
  t.strictSame(upstream.requests[0]?.values('expect'), [], 'was answered here')
  admitted.destroy()
})

t.test('#254 the answer to a long upload can be read, and its body goes nowhere', async (t) => {
  const { port, upstream } = await createStage(t, { routes })
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  const size = 16 * 1024 * 1024 // More than the kernel takes by itself.
  const headers = [['Content-Length', String(size)]] as const
  socket.write(requestText(port, { method: 'POST', path: '/api/x', headers }))
  const answers: Buffer[] = []
  socket.on('data', (chunk: Buffer) => answers.push(chunk))
  const ended = once(socket, 'end')
  // The client writes on for as long as it can. A reset would be an error here.
  for (let left = size; left > 0; left -= 1024 * 1024) {
    await new Promise((resolve) => socket.write(Buffer.alloc(1024 * 1024), resolve))
  }
  await ended
  const text = Buffer.concat(answers).toString()
  t.match(text, /^HTTP\/1.1 401 /)
  t.match(text, /\r\nConnection: close\r\n/i)
  t.match(text, /"code":"credentials_missing"/)
  socket.end()
  await once(socket, 'close')
  t.strictSame(upstream.requests, [])
})

t.test('a connection goes on after a refusal without a body, and to the upstream', async (t) => {
  const { port, upstream } = await createStage(t, { routes })
  const connections: unknown[] = []
  upstream.server.on('connection', (socket) => connections.push(socket))
  const connection = await openRaw(port)
  for (const [path, status] of [
    ['/api/x', 401],
    ['/public', 200],
    ['/none', 404],
    ['/public', 200],
  ] as const) {
    connection.write(requestText(port, { path }))
    t.match(await connection.read(), { status }, path)
  }
  t.equal(connections.length, 1, 'the upstream has one as well')
  connection.destroy()
})

t.test('#260 the log holds no token, no proof and no query', async (t) => {
  const { send, mint, client, log, stop } = await createStage(t, { routes })
  const token = await mint()
  const path = `/api/x?secret=${MARK}`
  const proof = await client.proof({ url: PUBLIC_URL + path, token })
  await send({ path, token, proof, headers: [['Cookie', `a=${MARK}`]] })
  await send({ path, token, proof })
  await send({ path, credentials: [['Authorization', `Bearer ${token}`]] })
  await stop()
  const lines = log().filter(({ msg }) => msg === 'request')
  t.match(lines, [
    { status: 200, path: '/api/x', route: 'api', subject: 'alice', thumbprint: client.thumbprint },
    { status: 401, code: 'proof_replayed' },
    { status: 401, code: 'token_bound' },
  ])
  const text = JSON.stringify(log())
  const parts = [...token.split('.'), ...proof.split('.'), MARK]
  for (const part of parts) t.notMatch(text, part)
})
