/** docs/cases.md rows 250-252, and what streams: an answer passed on as it comes, or broken off. */
import { connect } from 'node:net'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { openRaw, requestText } from '../support/raw-http.ts'
import { startRawUpstream } from '../support/raw-upstream.ts'
import { createStage } from '../support/stage.ts'
import { startUpstream } from '../support/upstream.ts'

/** A gateway with one public route to this upstream. */
function stage(t: Test, url: string, more = '') {
  const routes = () => `- { name: all, path: /*, access: public, upstream: ${url}${more} }`
  return createStage(t, { routes })
}

const head = (status: string, ...fields: readonly string[]) =>
  [`HTTP/1.1 ${status}`, ...fields, '', ''].join('\r\n')
const DATE = 'Tue, 15 Nov 1994 08:12:31 GMT'

// prettier-ignore
const ANSWERS = [
  { name: 'several Set-Cookie', bytes: head('200 OK', 'Set-Cookie: a=1', 'Set-Cookie: b=2', 'Content-Length: 0'), field: 'set-cookie', values: ['a=1', 'b=2'] },
  { name: '#250 a challenge of the upstream', bytes: head('401 No', 'WWW-Authenticate: Bearer', 'WWW-Authenticate: DPoP error="use_dpop_nonce"', 'Content-Length: 0'), status: 401, field: 'www-authenticate', values: ['Bearer', 'DPoP error="use_dpop_nonce"'] },
  { name: '#251 a nonce of the upstream', bytes: head('401 No', 'DPoP-Nonce: n', 'dpop-nonce: m', 'Content-Length: 0'), status: 401, field: 'dpop-nonce', values: [] },
  { name: '#252 a Date of the upstream', bytes: head('200 OK', `Date: ${DATE}`, 'Content-Length: 0'), field: 'date', values: [DATE] },
  { name: 'hop-by-hop: Keep-Alive', bytes: head('200 OK', 'Keep-Alive: timeout=1, max=2', 'Content-Length: 0'), field: 'keep-alive', values: ['timeout=75'] },
  { name: 'hop-by-hop: Proxy-Authenticate', bytes: head('200 OK', 'Proxy-Authenticate: Basic', 'Content-Length: 0'), field: 'proxy-authenticate', values: [] },
  { name: 'hop-by-hop: Upgrade', bytes: head('200 OK', 'Upgrade: h2', 'Content-Length: 0'), field: 'upgrade', values: [] },
  { name: 'hop-by-hop: Trailer', bytes: `${head('200 OK', 'Trailer: X', 'Transfer-Encoding: chunked')}0\r\nX: y\r\n\r\n`, field: 'trailer', values: [] },
  { name: 'hop-by-hop: what Connection nominates', bytes: head('200 OK', 'Connection: X-Hop', 'X-Hop: a', 'Content-Length: 0'), field: 'x-hop', values: [] },
  { name: 'the end of the connection of the upstream', bytes: head('200 OK', 'Connection: close', 'Content-Length: 0'), field: 'connection', values: ['keep-alive'] },
  { name: 'a length', bytes: `${head('200 OK', 'Content-Length: 2')}ok`, field: 'content-length', values: ['2'], body: 'ok' },
  { name: 'chunks', bytes: `${head('200 OK', 'Transfer-Encoding: chunked')}1\r\no\r\n1;x\r\nk\r\n0\r\nX: y\r\n\r\n`, field: 'transfer-encoding', values: ['chunked'], body: 'ok' },
  { name: 'no body and no length', bytes: head('204 None'), status: 204, field: 'content-length', values: [] },
  { name: 'not modified, with the length of what it would be', bytes: head('304 Same', 'Content-Length: 5'), status: 304, field: 'content-length', values: ['5'] },
  { name: 'a status of its own', bytes: head('299 Odd', 'Content-Length: 0'), status: 299, field: 'x-none', values: [] },
]

for (const { name, bytes, status = 200, field, values, body = '' } of ANSWERS) {
  t.test(`the answer has ${name}`, async (t) => {
    const upstream = await startRawUpstream(t, (socket) => socket.write(bytes))
    const answer = await (await stage(t, upstream.url)).send({ path: '/x', credentials: [] })
    t.match(answer, { status, body, complete: true })
    t.strictSame(answer.values(field), values)
    t.equal(answer.values('date').length, 1, '#252 one Date')
    t.notMatch(answer.raw, 'X: y', 'trailers are left out')
  })
}

t.test('the head of an answer has its length and no body', async (t) => {
  const upstream = await startRawUpstream(t, (socket) => {
    socket.write(head('200 OK', 'Content-Length: 5'))
  })
  const { send } = await stage(t, upstream.url)
  const answer = await send({ method: 'HEAD', path: '/x', credentials: [] })
  t.match(answer, { status: 200, body: '' })
  t.strictSame(answer.values('content-length'), ['5'])
  t.match(upstream.requests[0], /^HEAD \/x /)
})

const CUT = [
  { name: 'by its length', bytes: `${head('200 OK', 'Content-Length: 9')}short` },
  { name: 'in chunks', bytes: `${head('200 OK', 'Transfer-Encoding: chunked')}5\r\nshort\r\n` },
]

for (const { name, bytes } of CUT) {
  t.test(`an answer cut short ${name} does not look finished`, async (t) => {
    const upstream = await startRawUpstream(t, (socket) => socket.end(bytes))
    const answer = await (await stage(t, upstream.url)).send({ path: '/x', credentials: [] })
    t.match(answer, { status: 200, complete: false })
    t.notMatch(answer.raw, '\r\n0\r\n', 'no last chunk')
  })
}

t.test('an answer that pauses for too long is broken off', async (t) => {
  const bytes = `${head('200 OK', 'Content-Length: 9')}short`
  const upstream = await startRawUpstream(t, (socket) => socket.write(bytes))
  const { send } = await stage(t, upstream.url, ', timeouts: { idle: 100ms }')
  t.match(await send({ path: '/x', credentials: [] }), { status: 200, complete: false })
})

t.test('a 304 with a length is whole, and its connection goes on', async (t) => {
  const upstream = await startRawUpstream(t, (socket) => {
    socket.write(head('304 Same', 'Content-Length: 5'))
  })
  const { port } = await stage(t, upstream.url)
  const connection = await openRaw(port)
  for (const path of ['/1', '/2']) {
    connection.write(requestText(port, { path }))
    t.match(await connection.read(), { status: 304 }, path)
  }
  connection.destroy()
})

t.test('the header does not wait for the body', async (t) => {
  const bytes = head('200 OK', 'Content-Type: text/event-stream', 'Content-Length: 2')
  const upstream = await startRawUpstream(t, (socket) => socket.write(bytes))
  const { port } = await stage(t, upstream.url)
  const socket = connect({ port, host: '127.0.0.1' })
  socket.write(requestText(port, { path: '/events' }))
  const [header] = (await once(socket, 'data')) as [Buffer]
  t.match(header.toString(), /^HTTP\/1.1 200 OK\r\n/)
  upstream.connections[0]?.write('ok')
  const [body] = (await once(socket, 'data')) as [Buffer]
  t.equal(body.toString(), 'ok')
  socket.destroy()
})

t.test('a client that goes away ends the exchange', async (t) => {
  for (const behaviour of ['hang', 'huge'] as const) {
    const upstream = await startUpstream(t, behaviour)
    const { port, log } = await stage(t, upstream.url)
    const client = await openRaw(port)
    client.write(requestText(port, { path: '/x' }))
    await once(upstream.server, 'request')
    client.reset()
    await upstream.aborted()
    t.notMatch(log(), [{ msg: 'a request met a bug' }], behaviour)
  }
})

t.test('a client that takes nothing fills no memory and is given up', async (t) => {
  const upstream = await startUpstream(t, 'huge')
  const { port } = await stage(t, upstream.url, ', timeouts: { idle: 300ms }')
  const socket = connect({ port, host: '127.0.0.1' }).pause()
  socket.write(requestText(port, { path: '/x' }))
  const [connection] = (await once(upstream.server, 'connection')) as [{ bytesWritten: number }]
  await upstream.aborted()
  t.ok(connection.bytesWritten < 32 * 1024 * 1024, `after ${connection.bytesWritten} bytes`)
  socket.destroy()
})

t.test('an upstream that takes nothing fills no memory', async (t) => {
  const upstream = await startRawUpstream(t, (socket) => socket.pause())
  const { port } = await stage(t, upstream.url, ', timeouts: { response: 300ms }')
  const socket = connect({ port, host: '127.0.0.1' })
  socket.on('error', () => undefined) // What is still in flight meets a closed connection.
  const size = 256 * 1024 * 1024
  socket.write(
    requestText(port, { method: 'POST', path: '/x', headers: [['Content-Length', `${size}`]] }),
  )
  const piece = Buffer.alloc(1024 * 1024)
  const pump = () => {
    while (socket.writable && socket.write(piece));
  }
  socket.on('drain', pump)
  pump()
  const [answer] = (await once(socket, 'data')) as [Buffer]
  const sent = socket.bytesWritten - socket.writableLength
  t.match(answer.toString(), /^HTTP\/1.1 504 /)
  t.ok(sent < 32 * 1024 * 1024, `after ${sent} bytes`)
  socket.destroy()
})
