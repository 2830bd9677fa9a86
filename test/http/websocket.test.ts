/** docs/cases.md row 256: a WebSocket is decided on like the GET that opens it. */
import t from 'tap'
import { closedUrl, startRawUpstream } from '../support/raw-upstream.ts'
import { openRaw, requestText } from '../support/raw-http.ts'
import { createStage, PUBLIC_URL } from '../support/stage.ts'
import { until } from '../support/until.ts'
import {
  HANDSHAKE,
  openWebSocket,
  startEchoUpstream,
  webSocketRoute,
} from '../support/web-socket.ts'

t.test('an echo through the gateway, and one line of the log at its end', async (t) => {
  const upstream = await startEchoUpstream(t)
  const stage = await createStage(t, { routes: webSocketRoute(upstream.url) })
  const { webSocket, nextMessage, closed } = await openWebSocket(stage, {
    path: '/ws/a//b%2Fc?q=1?2',
  })
  for (const text of ['hello', 'x'.repeat(3_000_000), '']) {
    webSocket.send(text)
    t.equal(await nextMessage(), text)
  }
  const requests = () => stage.log().filter(({ msg }) => msg === 'request')
  t.strictSame(requests(), [], 'nothing is logged while it is open')
  const metrics = () => fetch(`http://127.0.0.1:${stage.adminPort}/metrics`).then((it) => it.text())
  t.match(await metrics(), 'dpop_websockets_open 1')
  webSocket.close(4000, 'enough')
  t.equal(await closed, 4000)
  await until(() => upstream.closes.length === 1 && requests().length === 1)
  t.strictSame(upstream.closes, [4000])
  t.match(requests(), [{ status: 101, route: 'ws', method: 'GET', path: '/ws/a//b%2Fc' }])
  t.match(await metrics(), /dpop_websockets_open 0[^]*http_response_status_code="101"/)
  t.match(await metrics(), 'dpop_admitted_total{route="ws",scheme="dpop"} 1')
  t.equal(upstream.handshakes[0]?.url, '/ws/a//b%2Fc?q=1?2', 'byte for byte')
})

t.test('the upstream learns who it is from the gateway alone', async (t) => {
  const upstream = await startEchoUpstream(t)
  const { send } = await createStage(t, { routes: webSocketRoute(upstream.url) })
  const headers = [
    ...HANDSHAKE,
    ['Connection', 'X-Auth-Thumbprint, X-Hop'],
    ['X-Hop', '1'],
    ['X-Auth-Subject', 'root'],
    ['X_Auth_Subject', 'root'],
    ['X-Forwarded-For', '1.2.3.4'],
    ['Sec-WebSocket-Protocol', 'chat'],
  ] as const
  const answer = await send({ path: '/ws/a', headers, claims: { sub: 'alice' } })
  t.equal(answer.status, 101)
  t.strictSame(answer.values('sec-websocket-accept'), ['s3pPLMBiTxaQ9kYGzzhZRbK+xOo='])
  t.strictSame(answer.values('sec-websocket-protocol'), ['chat'])
  const [handshake] = upstream.handshakes
  t.match(handshake?.headers, {
    host: new URL(upstream.url).host,
    connection: 'Upgrade',
    upgrade: 'websocket',
    'x-auth-subject': 'alice',
    'x-forwarded-for': '127.0.0.1',
    via: '1.1 dpop-gateway',
  })
  for (const name of ['authorization', 'dpop', 'x-hop', 'x_auth_subject']) {
    t.notOk(handshake?.headers[name], name)
  }
})

const bad = (
  name: string,
  value: string | undefined,
  more: readonly (readonly [string, string])[] = [],
) => [
  ...HANDSHAKE.filter(([it]) => it !== name),
  ...(value === undefined ? [] : ([[name, value]] as const)),
  ...more,
]
const KEY = 'Sec-WebSocket-Key'
const VERSION = 'Sec-WebSocket-Version'

// prettier-ignore
const REFUSED = [
  { name: 'no token', request: { credentials: [] }, status: 401, code: 'credentials_missing' },
  { name: 'htm of another method', request: { proof: { method: 'CONNECT' } }, status: 401, code: 'proof_method' },
  { name: '#256 htu with wss', request: { proof: { url: 'wss://api.example.com/ws/a' } }, status: 401, code: 'proof_target' },
  { name: '#256 htu with ws', request: { proof: { url: 'ws://api.example.com/ws/a' } }, status: 401, code: 'proof_target' },
  { name: 'RFC 6455 §4.2.1 another version', request: { headers: bad(VERSION, '8') }, status: 400, code: 'header_invalid' },
  { name: 'no version', request: { headers: bad(VERSION, undefined) }, status: 400, code: 'header_invalid' },
  { name: 'no key', request: { headers: bad(KEY, undefined) }, status: 400, code: 'header_invalid' },
  { name: 'two keys', request: { headers: [...HANDSHAKE, [KEY, 'dGhlIHNhbXBsZSBub25jZQ==']] as const }, status: 400, code: 'header_invalid' },
  { name: 'a short key', request: { headers: bad(KEY, 'YQ==') }, status: 400, code: 'header_invalid' },
  { name: 'another method', request: { method: 'POST' }, status: 400, code: 'header_invalid' },
  { name: 'a page of another origin', request: { headers: [...HANDSHAKE, ['Origin', 'https://evil.example']] as const }, status: 403, code: 'origin_refused' },
  { name: 'a page of no origin', request: { headers: [...HANDSHAKE, ['Origin', 'null']] as const }, status: 403, code: 'origin_refused' },
  { name: 'a route without', request: { path: '/plain/a' }, status: 403, code: 'websocket_refused' },
]

t.test('a handshake is refused for', async (t) => {
  const upstream = await startEchoUpstream(t)
  const cors = 'cors: { origins: [https://app.example.com] }'
  const { send } = await createStage(t, {
    routes: () =>
      [
        `- { name: ws, path: /ws/*, websocket: true, ${cors}, upstream: ${upstream.url} }`,
        `- { name: plain, path: /plain/*, upstream: ${upstream.url} }`,
      ].join('\n'),
  })
  for (const { name, request, status, code } of REFUSED) {
    const answer = await send({ path: '/ws/a', headers: HANDSHAKE, ...request })
    t.match({ name, ...answer }, { name, status, code })
    t.strictSame(answer.values('connection'), ['close'], name)
  }
  for (const origin of ['https://app.example.com', PUBLIC_URL]) {
    const headers = [...HANDSHAKE, ['Origin', origin]] as const
    t.equal((await send({ path: '/ws/a', headers })).status, 101, origin)
  }
  t.equal(upstream.handshakes.length, 2, 'nothing else went on')
})

t.test('a proof opens one WebSocket', async (t) => {
  const upstream = await startEchoUpstream(t)
  const { send, mint, client } = await createStage(t, { routes: webSocketRoute(upstream.url) })
  const token = await mint()
  const proof = await client.proof({ method: 'GET', url: `${PUBLIC_URL}/ws/a`, token })
  const request = { path: '/ws/a', headers: HANDSHAKE, token, proof }
  t.equal((await send(request)).status, 101)
  t.match(await send(request), { status: 401, code: 'proof_replayed' })
  t.equal((await send({ path: '/ws/a' })).status, 426, 'of the upstream, to an ordinary request')
})

t.test('any other answer of the upstream is one like any other', async (t) => {
  const upstream = await startRawUpstream(t, (socket) => {
    const fields =
      'DPoP-Nonce: n\r\nKeep-Alive: timeout=9\r\nX-Reason: none\r\nTransfer-Encoding: chunked'
    socket.write(`HTTP/1.1 403 No\r\n${fields}\r\n\r\n3\r\nwhy\r\n0\r\n\r\n`)
  })
  const stage = await createStage(t, { routes: webSocketRoute(upstream.url, ', access: public') })
  const connection = await openRaw(stage.port)
  connection.write(requestText(stage.port, { path: '/ws/a', headers: HANDSHAKE }))
  const answer = await connection.read()
  t.match(answer, { status: 403, body: 'why', complete: true })
  t.strictSame(answer.values('x-reason'), ['none'])
  t.strictSame(answer.values('dpop-nonce'), [])
  t.strictSame(answer.values('keep-alive'), [])
  t.strictSame(answer.values('connection'), ['close'])
  t.equal(await connection.closed(), '')
  await until(() => upstream.connections.every((socket) => socket.destroyed))
})

// prettier-ignore
const FAILING = [
  { name: 'switches to nothing', answer: 'HTTP/1.1 101 Odd\r\n\r\nGET', status: 502, code: 'upstream_invalid' },
  { name: 'switches to another protocol', answer: 'HTTP/1.1 101 Odd\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n', status: 502, code: 'upstream_invalid' },
  { name: 'speaks no HTTP', answer: 'SSH-2.0-OpenSSH\r\n\r\n', status: 502, code: 'upstream_invalid' },
  { name: 'hangs', answer: '', status: 504, code: 'upstream_timeout' },
]

for (const { name, answer, status, code } of FAILING) {
  t.test(`an upstream that ${name}`, async (t) => {
    const upstream = await startRawUpstream(t, (socket) => socket.write(answer))
    const more = ', timeouts: { response: 300ms }'
    const { send } = await createStage(t, { routes: webSocketRoute(upstream.url, more) })
    t.match(await send({ path: '/ws/a', headers: HANDSHAKE }), { status, code })
    await until(() => upstream.connections.every((socket) => socket.destroyed))
  })
}

t.test('an upstream that is dead is passed over', async (t) => {
  const [dead, upstream] = [await closedUrl(), await startEchoUpstream(t)]
  const one = await createStage(t, { routes: webSocketRoute(dead) })
  t.match(await one.send({ path: '/ws/a', headers: HANDSHAKE }), {
    status: 502,
    code: 'upstream_unreachable',
  })
  const two = await createStage(t, { routes: webSocketRoute(`[${dead}, ${upstream.url}]`) })
  for (let nth = 0; nth < 4; nth++) {
    t.equal((await two.send({ path: '/ws/a', headers: HANDSHAKE })).status, 101)
  }
})
