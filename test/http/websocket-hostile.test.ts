/** Handshakes over bare sockets: what no WebSocket client would send, and when none would send it. */
import { once } from 'node:events'
import t from 'tap'
import { openRaw, requestText } from '../support/raw-http.ts'
import { startRawUpstream } from '../support/raw-upstream.ts'
import { createStage } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { HANDSHAKE, startEchoUpstream, webSocketRoute } from '../support/web-socket.ts'

const SWITCHED =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
const PUBLIC = ', access: public'
const EMPTY = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'
/** A text frame with a mask of zeros. */
const EARLY = Buffer.from([0x81, 0x85, 0, 0, 0, 0, ...Buffer.from('early')])

t.test('nothing the client sends is upstream before the 101', async (t) => {
  let received = Buffer.alloc(0)
  const upstream = await startRawUpstream(t, (socket, nth) => {
    if (nth > 1) {
      socket.write(EMPTY)
      return
    }
    socket.removeAllListeners('data')
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
    })
  })
  const stage = await createStage(t, { routes: webSocketRoute(upstream.url, PUBLIC) })
  const connection = await openRaw(stage.port)
  const handshake = requestText(stage.port, { path: '/ws/a', headers: HANDSHAKE })
  connection.write(Buffer.concat([Buffer.from(handshake), EARLY]))
  await until(() => upstream.requests.length === 1)
  connection.write(EARLY)
  // What came before these has been dealt with once they are answered.
  for (const path of ['/ws/b', '/ws/c']) {
    t.match(await stage.send({ path, credentials: [] }), { status: 200 })
  }
  t.match(upstream.requests[0], /\r\n\r\n$/)
  t.equal(received.length, 0)
  upstream.connections[0]?.write(SWITCHED)
  t.match(await connection.read(), { status: 101 })
  await until(() => received.length === EARLY.length * 2)
  t.strictSame(received, Buffer.concat([EARLY, EARLY]))
  connection.reset()
  await until(() => upstream.connections.every((socket) => socket.destroyed))
})

t.test('500 clients that are gone before the 101 leave nothing behind', async (t) => {
  const upstream = await startRawUpstream(t, () => undefined)
  const stage = await createStage(t, { routes: webSocketRoute(upstream.url, PUBLIC) })
  const handshake = requestText(stage.port, { path: '/ws/a', headers: HANDSHAKE })
  for (let nth = 0; nth < 500; nth++) {
    const connection = await openRaw(stage.port)
    connection.write(handshake)
    // Some go once the upstream has been asked, some before.
    if (nth % 5 === 0) await until(() => upstream.connections.some((it) => !it.destroyed))
    if (nth % 2 === 0) connection.reset()
    else connection.destroy()
  }
  const requests = () => stage.log().filter(({ msg }) => msg === 'request')
  await until(() => requests().length === 500, 30_000)
  await until(() => upstream.connections.every((socket) => socket.destroyed), 30_000)
  t.ok(
    requests().every(({ status }) => status === 499),
    'each is logged as gone',
  )
  t.strictSame(
    stage.log().filter(({ level }) => Number(level) >= 50),
    [],
    'and none as a fault',
  )
})

t.test('what comes behind a handshake that is refused is no request', async (t) => {
  const upstream = await startEchoUpstream(t)
  const stage = await createStage(t, {
    routes: () =>
      [
        `- { name: ws, path: /ws/*, websocket: true, upstream: ${upstream.url} }`,
        `- { name: open, path: /*, access: public, upstream: ${upstream.url} }`,
      ].join('\n'),
  })
  const next = requestText(stage.port, { path: '/next' })
  for (const [path, status] of [
    ['/open', 403],
    ['/ws/a', 401],
  ] as const) {
    const connection = await openRaw(stage.port)
    connection.write(requestText(stage.port, { path, headers: HANDSHAKE }) + next)
    t.equal((await connection.read()).status, status)
    t.equal(await connection.closed(), '', `${path} is the last`)
  }
  t.notOk(stage.log().some(({ path }) => path === '/next'))
})

t.test('a handshake with a body is a request like any other, body and all', async (t) => {
  const stage = await createStage(t, {
    routes: ({ url }) =>
      `- { name: ws, path: /ws/*, websocket: true, access: public, upstream: ${url} }`,
  })
  const body = requestText(stage.port, { path: '/ws/smuggled' })
  const inChunks = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
  for (const [sent, more] of [
    [body, []],
    [inChunks, [['Transfer-Encoding', 'chunked']]],
  ] as const) {
    const before = stage.upstream.requests.length
    const headers = [...HANDSHAKE, ...more]
    const answer = await stage.send({ path: '/ws/a', headers, body: sent, credentials: [] })
    t.equal(answer.status, 200)
    const [received, ...others] = stage.upstream.requests.slice(before)
    t.match(received, { url: '/ws/a', body })
    t.strictSame(received?.values('upgrade'), [])
    t.strictSame(others, [])
  }
})

t.test('where the upstream does not switch, what comes behind is no request', async (t) => {
  const upstream = await startRawUpstream(t, (socket) => {
    const fields = 'Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2'
    socket.write(`HTTP/1.1 200 OK\r\n${fields}\r\n\r\nok`)
  })
  const stage = await createStage(t, { routes: webSocketRoute(upstream.url, PUBLIC) })
  const connection = await openRaw(stage.port)
  const next = requestText(stage.port, { path: '/ws/next' })
  connection.write(requestText(stage.port, { path: '/ws/a', headers: HANDSHAKE }) + next)
  const answer = await connection.read()
  t.match(answer, { status: 200, body: 'ok' })
  t.strictSame(answer.values('upgrade'), [])
  t.equal(await connection.closed(), '')
  t.equal(upstream.requests.length, 1)
})

t.test('an answer under way goes out before that to a handshake behind it', async (t) => {
  const upstream = await startRawUpstream(t, (socket, nth) => {
    if (nth === 2) socket.write(SWITCHED)
  })
  const stage = await createStage(t, { routes: webSocketRoute(upstream.url, PUBLIC) })
  const connection = await openRaw(stage.port)
  connection.write(requestText(stage.port, { path: '/ws/first' }))
  connection.write(requestText(stage.port, { path: '/ws/a', headers: HANDSHAKE }))
  await until(() => upstream.requests.length === 1)
  upstream.connections[0]?.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst')
  t.match(await connection.read(), { status: 200, body: 'first' })
  t.match(await connection.read(), { status: 101 })
  connection.destroy()
})

t.test('a slow reader holds up the upstream, and memory stays flat', async (t) => {
  const upstream = await startRawUpstream(t, (socket, nth) => {
    socket.write(nth === 1 ? SWITCHED : EMPTY)
  })
  const stage = await createStage(t, { routes: webSocketRoute(upstream.url, PUBLIC) })
  const connection = await openRaw(stage.port)
  connection.write(requestText(stage.port, { path: '/ws/a', headers: HANDSHAKE }))
  t.match(await connection.read(), { status: 101 })
  connection.pause()
  const [socket] = upstream.connections
  if (!socket) throw new Error('no connection')
  const piece = Buffer.alloc(1024 * 1024)
  let held = 0
  // Until neither the gateway nor the kernel takes any more, while others are served.
  for (let same = 0; same < 20; same = socket.writableLength === held ? same + 1 : 0) {
    held = socket.writableLength
    if (held < piece.length) socket.write(piece)
    if (socket.bytesWritten > 256 * piece.length) throw new Error('it is taken without end')
    t.match(await stage.send({ path: '/ws/b', credentials: [] }), { status: 200 })
  }
  t.ok(held >= 1_000_000, `${held} bytes are held back`)
  connection.resume()
  await once(socket, 'drain')
  connection.destroy()
})
