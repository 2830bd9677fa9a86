/** Which upstream a request goes to, and what a client sees of one that fails (failures.md). */
import t, { type Test } from 'tap'
import { startDeafServer } from '../support/deaf-server.ts'
import { closedUrl, startRawUpstream } from '../support/raw-upstream.ts'
import { createStage } from '../support/stage.ts'
import { startUpstream } from '../support/upstream.ts'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const unreachable = { status: 502, code: 'upstream_unreachable' }
const invalid = { status: 502, code: 'upstream_invalid' }
const tooLate = { status: 504, code: 'upstream_timeout' }

/** A gateway with one public route to these upstreams. */
function stage(t: Test, upstreams: readonly string[], more = '') {
  const routes = () =>
    `- { name: all, path: /*, access: public, upstream: [${upstreams.join(', ')}]${more} }`
  return createStage(t, { routes })
}

// prettier-ignore
const ANSWERS = [
  { name: 'no HTTP', bytes: 'HELLO\r\n\r\n', ...invalid },
  { name: 'a status that is none', bytes: 'HTTP/1.1 99 X\r\n\r\n', ...invalid },
  { name: 'Content-Length and Transfer-Encoding', bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', ...invalid },
  { name: 'two lengths', bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc', ...invalid },
  { name: 'a folded field', bytes: 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n', ...invalid },
  { name: 'a space before the colon', bytes: 'HTTP/1.1 200 OK\r\nX : a\r\nContent-Length: 0\r\n\r\n', ...invalid },
  { name: 'a control character in a field', bytes: 'HTTP/1.1 200 OK\r\nX: a\x01\r\nContent-Length: 0\r\n\r\n', ...invalid },
  { name: 'a header without end', bytes: `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}`, ...invalid },
  { name: 'a switch of protocols nobody asked for', bytes: 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n', ...unreachable },
  { name: 'an early hint and then an answer', bytes: `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}`, status: 200, code: undefined },
]

for (const { name, bytes, status, code } of ANSWERS) {
  t.test(`an upstream that answers with ${name}`, async (t) => {
    const upstream = await startRawUpstream(t, (socket) => socket.write(bytes, 'latin1'))
    const answer = await (await stage(t, [upstream.url])).send({ path: '/x', credentials: [] })
    t.match({ status: answer.status, code: answer.code }, { status, code })
    t.notMatch(answer.raw, 'Early Hints')
  })
}

t.test('nobody listens', async (t) => {
  const { send, log } = await stage(t, [await closedUrl()])
  const answer = await send({ path: '/x', credentials: [] })
  t.match(answer, unreachable)
  t.notMatch(answer.body, 'ECONNREFUSED', 'the reason is for the log alone')
  t.match(
    log().find(({ msg }) => msg === 'request'),
    { code: unreachable.code, level: 40 },
  )
})

t.test('a connection that does not come about is given up', async (t) => {
  const deaf = await startDeafServer(t)
  const { send } = await stage(t, [deaf], ', timeouts: { connect: 100ms }')
  t.match(await send({ path: '/x', credentials: [] }), tooLate)
})

t.test('an answer that does not begin is given up, and so is its connection', async (t) => {
  const upstream = await startUpstream(t, 'hang')
  const { send } = await stage(t, [upstream.url], ', timeouts: { response: 100ms }')
  t.match(await send({ path: '/x', credentials: [] }), tooLate)
  await upstream.aborted()
})

// RFC 9110 §9.2.2: sent once more if it is idempotent and its connection turned out to be closed.
const RETRIES = [
  { name: 'GET', request: { method: 'GET' }, again: true },
  { name: 'PUT without a body', request: { method: 'PUT' }, again: true },
  { name: 'PUT with a body', request: { method: 'PUT', body: 'a' }, again: false },
  { name: 'POST', request: { method: 'POST' }, again: false },
  { name: 'PATCH', request: { method: 'PATCH' }, again: false },
]

for (const { name, request, again } of RETRIES) {
  const verb = again ? 'is sent once more' : 'is not sent again'
  t.test(`${name} on a connection the upstream has closed ${verb}`, async (t) => {
    const upstream = await startRawUpstream(t, (socket, nth) => {
      if (nth === 2) socket.resetAndDestroy()
      else socket.write(OK)
    })
    const { send } = await stage(t, [upstream.url])
    t.match(await send({ path: '/1', credentials: [] }), { status: 200 })
    const answer = await send({ ...request, path: '/2', credentials: [] })
    t.match(answer, again ? { status: 200 } : unreachable)
    t.equal(upstream.requests.length, again ? 3 : 2)
  })
}

t.test('an upstream that always breaks off is asked twice at most', async (t) => {
  const upstream = await startRawUpstream(t, (socket) => socket.resetAndDestroy())
  const { send } = await stage(t, [upstream.url])
  t.match(await send({ path: '/x', credentials: [] }), unreachable)
  t.equal(upstream.requests.length, 2)
})

t.test('several upstreams take turns', async (t) => {
  const upstreams = [await startUpstream(t), await startUpstream(t), await startUpstream(t)]
  const { send } = await stage(
    t,
    upstreams.map(({ url }) => url),
  )
  for (let nth = 0; nth < 6; nth++) await send({ path: '/x', credentials: [] })
  t.strictSame(
    upstreams.map(({ requests }) => requests.length),
    [2, 2, 2],
  )
})

t.test('one that is not there is passed over, and a body arrives whole at the next', async (t) => {
  const live = await startUpstream(t)
  const { send } = await stage(t, [await closedUrl(), live.url, await closedUrl()])
  for (let nth = 1; nth <= 4; nth++) {
    t.equal(
      (await send({ method: 'POST', path: '/x', body: 'whole', credentials: [] })).status,
      200,
    )
    t.match(live.requests.at(-1), { body: 'whole' })
  }
  t.equal(live.requests.length, 4)
})

t.test('none of them is there', async (t) => {
  const { send } = await stage(t, [await closedUrl(), await closedUrl()])
  for (let nth = 1; nth <= 3; nth++) {
    t.match(await send({ path: '/x', credentials: [] }), unreachable)
  }
})

t.test('#257 another attempt uses the proof up only once', async (t) => {
  const upstream = await startRawUpstream(t, (socket, nth) => {
    if (nth === 1) socket.resetAndDestroy()
    else socket.write(OK)
  })
  const closed = await closedUrl()
  const { send } = await createStage(t, {
    routes: () =>
      `- { name: api, path: /api/*, upstream: ${upstream.url} }\n` +
      `- { name: two, path: /two/*, upstream: [${closed}, ${upstream.url}] }`,
  })
  t.match(await send(), { status: 200 }, 'sent once more on a new connection')
  t.equal(upstream.requests.length, 2)
  t.match(await send({ path: '/two/x' }), { status: 200 }, 'sent to the next upstream')
  t.equal(upstream.requests.length, 3)
})
