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
import { introspected } from '../support/introspected.ts'
import { until } from '../support/until.ts'

const { NGHTTP2_CANCEL, NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_REFUSED_STREAM } = constants

const headOf = (authority: string) =>
  headerBlock([
    [':method', 'GET'],
    [':scheme', 'https'],
    [':authority', authority],
    [':path', '/x'],
  ])
const GET = headOf('localhost')

function get({ send }: Frames, stream: number): void {
  send({ type: TYPE.headers, flags: END_HEADERS | END_STREAM, stream, payload: GET })
}

function cancel({ send }: Frames, stream: number): void {
  send({ type: TYPE.reset, stream, payload: Buffer.from([0, 0, 0, NGHTTP2_CANCEL]) })
}

t.test('streams given up one after the other end their connection, and no other', async (t) => {
  const stage = await createTlsStage(t, { server: '  limits: { pipelined: 10 }' })
  stage.upstream.behave('hang')
  const frames = await openFrames(t, stage)
  for (let stream = 1; stream < 2000 && !frames.socket.destroyed; stream += 2) {
    get(frames, stream)
    cancel(frames, stream)
  }
  await frames.closed()
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

t.test('and its client is told why', async (t) => {
  const stage = await createTlsStage(t, { server: '  limits: { pipelined: 10 }' })
  stage.upstream.behave('hang')
  const frames = await openFrames(t, stage)
  const goaway = () => frames.received.find(({ type }) => type === TYPE.goaway)
  // One by one: bytes that nobody has read when it ends would take the GOAWAY with them.
  for (let nth = 1; !goaway() && !frames.socket.destroyed; nth++) {
    get(frames, 2 * nth - 1)
    await until(() => stage.upstream.requests.length === nth || goaway() !== undefined)
    cancel(frames, 2 * nth - 1)
    await until(() => stage.log().filter(({ status }) => status === 499).length === nth)
    await new Promise(setImmediate)
  }
  t.equal(goaway()?.payload.readUInt32BE(4), NGHTTP2_ENHANCE_YOUR_CALM)
})

t.test('streams given up while they are decided on count until they are', async (t) => {
  const stage = await createTlsStage(t, {
    server: '  limits: { pipelined: 2 }',
    issuer: introspected({ introspection: { timeout: '30s' } }),
    routes: ({ url }) => `- { name: api, path: /*, upstream: ${url} }`,
  })
  const { introspection } = stage.authority
  introspection.behave('hang')
  const frames = await openFrames(t, stage)
  const ask = async (stream: number) => {
    const token = stage.issue()
    const proof = await stage.client.proof({ url: `${stage.url}/x`, token })
    const credentials = headerBlock([
      ['authorization', `DPoP ${token}`],
      ['dpop', proof],
    ])
    const payload = Buffer.concat([headOf(`localhost:${stage.port}`), credentials])
    frames.send({ type: TYPE.headers, flags: END_HEADERS | END_STREAM, stream, payload })
  }
  for (const nth of [1, 2]) {
    await ask(2 * nth - 1)
    await until(() => introspection.requests.length === nth)
    cancel(frames, 2 * nth - 1)
  }
  await ask(5)
  const { payload } = await frames.find(({ type, stream }) => type === TYPE.reset && stream === 5)
  t.equal(payload.readUInt32BE(), NGHTTP2_REFUSED_STREAM)
  t.equal(introspection.requests.length, 2, 'nobody is asked about it')
  t.match(
    stage.log().filter(({ code }) => code === 'overloaded'),
    [{ route: 'none', client: /127.0.0.1|::1/ }],
  )
  const session = await openHttp2(t, stage)
  for (const path of ['/1/..', '/2/..', '/3/..']) {
    t.match(await request2(session, { ':path': path }), { status: 400 }, 'others are served')
  }
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

t.test('for the delay streams are still taken, the last of their connections', async (t) => {
  const stage = await createTlsStage(t, { drain: '{ delay: 3s, timeout: 1m }' })
  const early = await openHttp2(t, stage)
  const stopped = stage.stop()
  const { status } = await fetch(`http://127.0.0.1:${stage.adminPort}/readyz`)
  t.equal(status, 503)
  for (const session of [early, await openHttp2(t, stage)]) {
    let isLast = false
    session.once('goaway', (code) => (isLast = code === constants.NGHTTP2_NO_ERROR))
    t.match(await request2(session), { status: 200 })
    t.ok(isLast, 'GOAWAY has come before the answer')
    await until(() => session.destroyed)
  }
  await stopped
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
