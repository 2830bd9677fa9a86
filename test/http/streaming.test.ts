/** What streams passes piece by piece: none waits for the next, and limits hold while it runs. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { openRaw, requestText } from '../support/raw-http.ts'
import { startRawUpstream } from '../support/raw-upstream.ts'
import { createStage } from '../support/stage.ts'

const CHUNKED = 'Transfer-Encoding: chunked\r\n\r\n'
const inChunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`

function stage(t: Test, url: string, server = '') {
  const routes = () => `- { name: all, path: /*, access: public, upstream: "${url}" }`
  return createStage(t, { routes, ...(server !== '' && { server: `  ${server}` }) })
}

function open(t: Test, port: number): Socket {
  const socket = connect({ port, host: '127.0.0.1' }).on('error', () => undefined)
  t.teardown(() => socket.destroy())
  return socket
}

/** Resolves once these bytes have arrived, however they were cut. */
async function untilReceived(socket: Socket, text: string): Promise<void> {
  for (let received = ''; !received.includes(text);) {
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    received += chunk.toString()
  }
}

t.test('each event arrives before the next one is sent', async (t) => {
  const upstream = await startRawUpstream(t, (socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n${CHUNKED}`)
  })
  const { port } = await stage(t, upstream.url)
  const client = open(t, port)
  client.write(requestText(port, { path: '/events' }))
  await untilReceived(client, '\r\n\r\n')
  for (const event of ['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n']) {
    const arrived = untilReceived(client, event)
    upstream.connections[0]?.write(inChunk(event))
    await arrived
  }
  t.pass('all three')
})

t.test('each piece of an upload arrives before the next one is sent', async (t) => {
  const upstream = await startRawUpstream(t, () => undefined)
  const { port } = await stage(t, upstream.url)
  const client = open(t, port)
  client.write(`POST /x HTTP/1.1\r\nHost: a\r\n${CHUNKED}${inChunk('one')}`)
  await untilArrived(() => upstream.connections[0])
  for (const piece of ['two', 'three']) {
    const [connection] = upstream.connections
    if (!connection) throw new Error('no connection')
    const arrived = untilReceived(connection, piece)
    client.write(inChunk(piece))
    await arrived
  }
  t.pass('all of them')
})

async function untilArrived(find: () => Socket | undefined): Promise<void> {
  while (!find()?.bytesRead) await new Promise((resolve) => setImmediate(resolve))
}

for (const framing of ['Content-Length: 1000000000\r\n\r\n', CHUNKED]) {
  t.test(`an upload that does not end is refused while it runs: ${framing.trim()}`, async (t) => {
    const upstream = await startRawUpstream(t, () => undefined)
    const { port } = await stage(t, upstream.url, 'limits: { bodyBytes: 100KiB }')
    const connection = await openRaw(port)
    t.teardown(connection.destroy)
    connection.write(`POST /x HTTP/1.1\r\nHost: a\r\n${framing}`)
    const piece = 'x'.repeat(64 * 1024)
    for (let nth = 0; nth < 4; nth++) {
      connection.write(framing === CHUNKED ? inChunk(piece) : piece)
    }
    const answer = await connection.read({ deadlineMs: 60_000 })
    t.match(answer, { status: 413, body: /"code":"body_too_large"/ })
    t.strictSame(answer.values('connection'), ['close'])
  })
}

t.test('provisional answers are left out, the final one is passed on', async (t) => {
  // Not 100: undici takes one that it has not asked for as the end of the connection.
  const provisional = ['102 Processing', '103 Early Hints', '103 Early Hints']
  const upstream = await startRawUpstream(t, (socket) => {
    for (const status of provisional) socket.write(`HTTP/1.1 ${status}\r\nLink: </a>\r\n\r\n`)
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
  })
  const { send } = await stage(t, upstream.url)
  const answer = await send({ path: '/x', credentials: [] })
  t.match(answer, { status: 200, body: 'ok' })
  t.match(answer.raw, /^HTTP\/1.1 200 /)
  t.strictSame(answer.values('link'), [])
})

t.test('nobody is asked for a body that is refused', async (t) => {
  const { port, upstream, send } = await createStage(t)
  const connection = await openRaw(port)
  t.teardown(connection.destroy)
  const headers = [['Expect', '100-continue'] as const, ['Content-Length', '1000'] as const]
  connection.write(requestText(port, { method: 'POST', path: '/api/x', headers }))
  const refused = await connection.read()
  t.equal(refused.status, 401)
  t.match(refused.raw, /^HTTP\/1.1 401 /, 'no 100 before it')
  t.strictSame(upstream.requests, [])
  const passed = await send({ method: 'POST', headers: headers.slice(0, 1), body: 'body' })
  t.match(passed.raw, /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 /)
  t.match(upstream.requests, [{ body: 'body' }])
})
