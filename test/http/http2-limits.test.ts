/** What one HTTP/2 connection may do at most, and how it ends. */
import { once } from 'node:events'
import { constants } from 'node:http2'
import t from 'tap'
import {
  END_HEADERS,
  END_STREAM,
  headerBlock,
  openFrames,
  TYPE,
  type Frames,
} from '../support/http2-frames.ts'
import { answerOf, codeOf, createTlsStage, openHttp2, request2 } from '../support/http2.ts'
import { until } from '../support/until.ts'

const { NGHTTP2_CANCEL, NGHTTP2_ENHANCE_YOUR_CALM } = constants

const GET = headerBlock([
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'localhost'],
  [':path', '/x'],
])

function get({ send }: Frames, stream: number): void {
  send({ type: TYPE.headers, flags: END_HEADERS | END_STREAM, stream, payload: GET })
}

t.test('streams given up one after the other end their connection, and no other', async (t) => {
  const stage = await createTlsStage(t, { server: '  limits: { pipelined: 10 }' })
  stage.upstream.behave('hang')
  const frames = await openFrames(t, stage)
  for (let stream = 1; stream < 2000 && !frames.socket.destroyed; stream += 2) {
    get(frames, stream)
    frames.send({ type: TYPE.reset, stream, payload: Buffer.from([0, 0, 0, NGHTTP2_CANCEL]) })
  }
  await frames.closed()
  const goaway = frames.received.find(({ type }) => type === TYPE.goaway)
  if (goaway) t.equal(goaway.payload.readUInt32BE(4), NGHTTP2_ENHANCE_YOUR_CALM)
  stage.upstream.behave('echo')
  t.match(await request2(await openHttp2(t, stage)), { status: 200 })
  t.ok(stage.upstream.requests.length < 100, 'most were never forwarded')
  t.match(
    stage
      .log()
      .filter(({ code }) => code === 'overloaded')
      .at(-1),
    { route: 'none', client: /127.0.0.1|::1/ },
  )
})

t.test('more streams at once than the limit end the connection', async (t) => {
  const stage = await createTlsStage(t, { server: '  limits: { pipelined: 2 }' })
  stage.upstream.behave('hang')
  const frames = await openFrames(t, stage)
  for (const stream of [1, 3, 5]) get(frames, stream)
  await frames.closed()
  t.ok(stage.upstream.requests.length <= 2)
  t.match(await request2(await openHttp2(t, stage), { ':path': '/a/../b' }), { status: 400 })
})

t.test('too many fields, and too large ones', async (t) => {
  const stage = await createTlsStage(t, {
    server: '  limits: { headerCount: 5, headerBytes: 2KiB }',
  })
  const session = await openHttp2(t, stage)
  const many = Object.fromEntries([1, 2, 3, 4, 5, 6].map((nth) => [`x-${nth}`, 'a']))
  t.equal(codeOf(await request2(session, many)), 'headers_too_large')
  const large = await openFrames(t, stage)
  const payload = Buffer.concat([GET, headerBlock([['x-a', 'b'.repeat(3000)]])])
  large.send({ type: TYPE.headers, flags: END_HEADERS | END_STREAM, stream: 1, payload })
  await large.find(({ type }) => type === TYPE.reset || type === TYPE.goaway)
  t.strictSame(stage.upstream.requests, [])
})

t.test('a header without an end', async (t) => {
  const stage = await createTlsStage(t)
  const frames = await openFrames(t, stage)
  frames.send({ type: TYPE.headers, flags: END_STREAM, stream: 1, payload: GET })
  for (let nth = 0; nth < 1000 && !frames.socket.destroyed; nth++) {
    frames.send({ type: TYPE.continuation, stream: 1, payload: headerBlock([['x-a', 'b']]) })
  }
  await frames.closed()
  t.match(await request2(await openHttp2(t, stage)), { status: 200 })
})

t.test('a connection without a request ends in time, whatever it says', async (t) => {
  const stage = await createTlsStage(t, {
    server: '  timeouts: { headers: 200ms, keepAlive: 200ms }',
  })
  const silent = await openFrames(t, stage)
  const pings = await openFrames(t, stage)
  const timer = setInterval(() => {
    pings.send({ type: TYPE.ping, payload: Buffer.alloc(8) })
  }, 20)
  t.teardown(() => {
    clearInterval(timer)
  })
  const used = await openHttp2(t, stage)
  t.match(await request2(used), { status: 200 })
  await Promise.all([silent.closed(), pings.closed(), until(() => used.closed)])
  t.pass('all three')
})

t.test('a body that pauses, and one that takes too long', async (t) => {
  const stage = await createTlsStage(t, {
    server: '  timeouts: { headers: 300ms, request: 300ms }',
    routes: ({ url }) =>
      [
        `- { name: fast, path: /fast, access: public, upstream: ${url}, timeouts: { idle: 100ms } }`,
        `- { name: slow, path: /slow, access: public, upstream: ${url} }`,
      ].join('\n'),
  })
  const session = await openHttp2(t, stage)
  for (const path of ['/fast', '/slow']) {
    const stream = session.request({ ':method': 'POST', ':path': path })
    stream.write('half')
    t.equal(codeOf(await answerOf(stream)), 'request_timeout', path)
  }
  t.strictSame(stage.upstream.requests, [])
})

t.test('an answer that is not taken is broken off', async (t) => {
  const stage = await createTlsStage(t, {
    server: '  timeouts: { keepAlive: 200ms }',
    routes: ({ url }) =>
      `- { name: all, path: /*, access: public, upstream: ${url}, timeouts: { idle: 200ms } }`,
  })
  const session = await openHttp2(t, stage, { settings: { initialWindowSize: 0 } })
  for (const behaviour of ['huge', 'echo'] as const) {
    stage.upstream.behave(behaviour)
    const stream = session.request({ ':path': '/x' })
    stream.on('error', () => undefined)
    await until(() => stream.destroyed)
    t.equal(stream.rstCode, constants.NGHTTP2_INTERNAL_ERROR, behaviour)
  }
  await stage.upstream.aborted()
})

t.test('a drain lets the streams finish, and takes no more', async (t) => {
  const stage = await createTlsStage(t, { drain: '{ delay: 0s, timeout: 10s }' })
  stage.upstream.behave('slow')
  const [session, idle] = [await openHttp2(t, stage), await openHttp2(t, stage)]
  const stream = session.request({ ':path': '/x' })
  const answer = answerOf(stream)
  await once(stream, 'response')
  const stopped = stage.stop()
  await until(() => session.closed && idle.closed)
  t.match(await answer, { status: 200, body: 'xxxxxxxxxx' })
  await stopped
})

t.test('a drain ends in time', async (t) => {
  const stage = await createTlsStage(t, { drain: '{ delay: 0s, timeout: 200ms }' })
  stage.upstream.behave('hang')
  const session = await openHttp2(t, stage)
  const answer = request2(session)
  await until(() => stage.upstream.requests.length === 1)
  await Promise.all([t.rejects(answer), stage.stop()])
})
