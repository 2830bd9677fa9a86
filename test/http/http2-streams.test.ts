/** Bodies over HTTP/2: streamed, cut short, refused, and never taken for whole when they are not. */
import { once } from 'node:events'
import { constants } from 'node:http2'
import type { Socket } from 'node:net'
import t from 'tap'
import {
  answerOf,
  codeOf,
  createTlsStage,
  openHttp2,
  request2,
  type TlsStage,
} from '../support/http2.ts'
import { END_HEADERS, headerBlock, openFrames, TYPE } from '../support/http2-frames.ts'
import { startRawUpstream } from '../support/raw-upstream.ts'
import { until } from '../support/until.ts'

const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR } = constants
/** Of an answer that nobody takes: what buffers on the way hold, and then some. */
const MOST = 32 * 1024 * 1024
const POST = { ':method': 'POST', ':path': '/x' }
const PROTECTED = {
  routes: ({ url }: { url: string }) => `- { name: api, path: /*, upstream: ${url} }`,
}

t.test('HEAD, 204 and 304 have no body', async (t) => {
  const raw = await startRawUpstream(t, (socket, nth) => {
    const [status, length] = [['200 OK', 5] as const, ['204 No Content', 0] as const][nth - 1] ?? [
      '304 Not Modified',
      5,
    ]
    const framing = length === 0 ? '' : `Content-Length: ${length}\r\n`
    socket.write(`HTTP/1.1 ${status}\r\n${framing}ETag: "a"\r\n\r\n`)
  })
  const stage = await createTlsStage(t, {
    routes: () => `- { name: all, path: /*, access: public, upstream: ${raw.url} }`,
  })
  const session = await openHttp2(t, stage)
  const head = await request2(session, { ':method': 'HEAD' })
  t.match(head, { status: 200, body: '', headers: { 'content-length': '5' } })
  t.match(await request2(session), { status: 204, body: '' })
  t.match(await request2(session), { status: 304, body: '', headers: { etag: '"a"' } })
  const refused = await request2(session, { ':method': 'HEAD', ':path': '/x%00' })
  t.match(refused, { status: 400, body: '' })
})

t.test('a body without a length, and one whose length is wrong', async (t) => {
  const stage = await createTlsStage(t, { server: '  limits: { bodyBytes: 8B }' })
  const session = await openHttp2(t, stage)
  t.match(await request2(session, POST, 'eight by'), { status: 200 })
  t.equal(codeOf(await request2(session, POST, 'nine byte')), 'body_too_large')
  await t.rejects(request2(session, { ...POST, 'content-length': 9 }, 'short'))
  await t.rejects(request2(session, { ...POST, 'content-length': 2 }, 'short'))
  t.match(stage.upstream.requests, [{ body: 'eight by' }])
  t.equal(stage.upstream.requests.length, 1)
})

for (const code of [NGHTTP2_NO_ERROR, NGHTTP2_CANCEL]) {
  t.test(`an upload that is reset with ${code} is not taken for whole`, async (t) => {
    const raw = await startRawUpstream(t, () => undefined)
    const stage = await createTlsStage(t, {
      routes: () => `- { name: all, path: /*, access: public, upstream: ${raw.url} }`,
    })
    const frames = await openFrames(t, stage)
    const payload = headerBlock([
      [':method', 'POST'],
      [':scheme', 'https'],
      [':authority', 'a'],
      [':path', '/x'],
    ])
    frames.send({ type: TYPE.headers, flags: END_HEADERS, stream: 1, payload })
    frames.send({ type: TYPE.data, stream: 1, payload: Buffer.from('half') })
    await until(() => raw.requests.length > 0)
    frames.send({ type: TYPE.reset, stream: 1, payload: Buffer.from([0, 0, 0, code]) })
    await until(() => raw.connections.every((socket) => socket.closed))
    t.notMatch(raw.requests.join(''), /\r\n0\r\n/, 'no last chunk')
    await until(() => stage.log().some(({ status }) => status === 499))
  })
}

t.test('a client that goes away ends what it asked for', async (t) => {
  const stage = await createTlsStage(t)
  stage.upstream.behave('hang')
  const session = await openHttp2(t, stage)
  const stream = session.request({ ':path': '/x' })
  stream.on('error', () => undefined)
  await until(() => stage.upstream.requests.length === 1)
  stream.close(NGHTTP2_CANCEL)
  await stage.upstream.aborted()
  stage.upstream.behave('echo')
  t.match(await request2(session), { status: 200 }, 'and the connection goes on')
})

t.test('an answer that breaks off does not look finished', async (t) => {
  const stage = await createTlsStage(t)
  stage.upstream.behave('truncated')
  const session = await openHttp2(t, stage)
  const stream = session.request({ ':path': '/x' })
  stream.on('error', () => undefined)
  stream.resume()
  await until(() => stream.destroyed)
  t.equal(stream.rstCode, NGHTTP2_INTERNAL_ERROR)
  const chunked = await startRawUpstream(t, (socket) => {
    socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n')
  })
  const other = await createTlsStage(t, {
    routes: () => `- { name: all, path: /*, access: public, upstream: ${chunked.url} }`,
  })
  await t.rejects(request2(await openHttp2(t, other)), { code: 'ERR_HTTP2_STREAM_ERROR' })
})

t.test('an endless answer goes no faster than the client takes it', async (t) => {
  const stage = await createTlsStage(t, {
    routes: ({ url }) =>
      `- { name: all, path: /*, access: public, upstream: ${url}, timeouts: { idle: 1s } }`,
  })
  stage.upstream.behave('huge')
  const session = await openHttp2(t, stage)
  const connecting = once(stage.upstream.server, 'connection')
  const stream = session.request({ ':path': '/x' })
  stream.on('error', () => undefined)
  await once(stream, 'response')
  t.match(await answerOfOther(stage), { status: 400 }, 'others are served meanwhile')
  const [connection] = (await connecting) as [Socket]
  // Given up once nothing has moved for a while; else it would go on for ever.
  await until(() => connection.destroyed || connection.bytesWritten > 2 * MOST, 20_000)
  t.ok(connection.bytesWritten < MOST, `after ${connection.bytesWritten} bytes`)
})

async function answerOfOther({ url, certificates }: TlsStage) {
  return request2(await openHttp2(t, { url, certificates }), { ':path': '/a/../b' })
}

t.test('a refused body is not read, and the connection goes on', async (t) => {
  const stage = await createTlsStage(t, PROTECTED)
  const session = await openHttp2(t, stage)
  const stream = session.request(POST)
  stream.write('some of it')
  t.equal(codeOf(await answerOf(stream)), 'credentials_missing')
  await until(() => stream.closed)
  t.equal(stream.rstCode, NGHTTP2_NO_ERROR, 'RFC 9113 §8.1')
  t.equal(codeOf(await request2(session)), 'credentials_missing')
  t.strictSame(stage.upstream.requests, [])
})

t.test('100 Continue comes only where the request is let through', async (t) => {
  const stage = await createTlsStage(t, {
    routes: ({ url }) =>
      [
        `- { name: api, path: /api, upstream: ${url} }`,
        `- { name: open, path: /open, access: public, upstream: ${url} }`,
      ].join('\n'),
  })
  const session = await openHttp2(t, stage)
  const ask = (path: string) => {
    const stream = session.request({ ...POST, ':path': path, expect: '100-continue' })
    let isContinued = false
    stream.on('continue', () => {
      isContinued = true
      stream.end('body')
    })
    return answerOf(stream).then((answer) => ({ ...answer, isContinued }))
  }
  t.match(await ask('/api'), { status: 401, isContinued: false })
  t.match(await ask('/open'), { status: 200, isContinued: true })
  t.match(await request2(session, { ...POST, expect: 'more' }, 'x'), { status: 417 })
})

t.test('an early answer ends the upload', async (t) => {
  const stage = await createTlsStage(t)
  stage.upstream.behave('early413')
  const session = await openHttp2(t, stage)
  const stream = session.request(POST)
  stream.write('some of it')
  t.match(await answerOf(stream), { status: 413, body: 'too large' })
  await until(() => stream.closed)
})

t.test('trailers never become header fields', async (t) => {
  const stage = await createTlsStage(t)
  const session = await openHttp2(t, stage)
  const plain = session.request(POST, { waitForTrailers: true })
  plain.on('wantTrailers', () => {
    plain.sendTrailers({ 'x-user': 'mallory' })
  })
  plain.end('body')
  t.match(await answerOf(plain), { status: 200 })
  for (const { rawHeaders } of stage.upstream.requests) {
    t.notMatch(rawHeaders.join(), /mallory|admin/)
  }
})
