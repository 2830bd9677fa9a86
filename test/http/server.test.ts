/** What the listener answers by itself: limits, time limits, and connections that end. */
import t, { type Test } from 'tap'
import { openRaw, requestText, sendRaw } from '../support/raw-http.ts'
import { createStage } from '../support/stage.ts'

/** A gateway with one public route. */
function stage(t: Test, server = '') {
  return createStage(t, {
    server: `  ${server}`,
    routes: ({ url }) => `- { name: all, path: /*, access: public, upstream: ${url} }`,
  })
}

const SLOW = [
  { name: 'nothing at all', bytes: '' },
  { name: 'half a request line', bytes: 'GET /x' },
  { name: 'half a header', bytes: 'GET /x HTTP/1.1\r\nHost: a\r\n' },
  { name: 'half a body', bytes: 'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf' },
]

for (const { name, bytes } of SLOW) {
  t.test(`a client that sends ${name} is answered 408 in time`, async (t) => {
    const { port, upstream } = await stage(t, 'timeouts: { headers: 100ms, request: 200ms }')
    const connection = await openRaw(port)
    connection.write(bytes)
    t.match(await connection.read(), { status: 408, body: /"code":"request_timeout"/ })
    t.equal(await connection.closed(), '', 'and the connection ends')
    t.strictSame(upstream.requests, [])
  })
}

t.test('an idle connection ends', async (t) => {
  const { port } = await stage(t, 'timeouts: { keepAlive: 100ms }')
  const connection = await openRaw(port)
  connection.write(requestText(port, { path: '/x' }))
  t.match(await connection.read(), { status: 200 })
  t.equal(await connection.closed(), '')
})

t.test('pipelined requests are answered in their order', async (t) => {
  const { port } = await stage(t, 'limits: { pipelined: 3 }')
  const connection = await openRaw(port)
  connection.write(['/1', '/2', '/3'].map((path) => requestText(port, { path })).join(''))
  for (const url of ['/1', '/2', '/3']) {
    t.match(JSON.parse((await connection.read()).body), { url })
  }
})

t.test('more pipelined requests than the limit end the connection', async (t) => {
  const { port, upstream, adminPort } = await stage(t, 'limits: { pipelined: 3 }')
  upstream.behave('hang')
  const connection = await openRaw(port)
  connection.write(requestText(port, { path: '/x' }).repeat(4))
  t.equal(await connection.closed(), '')
  const metrics = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text()
  t.match(metrics, 'dpop_refusals_total{route="none",code="overloaded"} 1')
})

t.test('more connections than the limit are closed at once', async (t) => {
  const { port } = await stage(t, 'limits: { connections: 2 }')
  const first = await openRaw(port)
  const second = await openRaw(port)
  const third = await openRaw(port)
  t.equal(await third.closed(), '')
  second.write(requestText(port, { path: '/x' }))
  t.match(await second.read(), { status: 200 })
  first.destroy()
})

// A front proxy that sees where a request ends in another way than Node must not get a second one
// in behind a first that was refused for it.
t.test('#255 what follows a refused request on its connection is not read', async (t) => {
  const { port, upstream } = await stage(t)
  const smuggled = requestText(port, { path: '/smuggled' })
  const REFUSED = [
    `POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: , chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    `GET /../x HTTP/1.1\r\nHost: a\r\n\r\n${smuggled}`,
    `GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n${smuggled}`,
    `CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n${smuggled}`,
    `POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n${smuggled}`,
  ]
  for (const bytes of REFUSED) {
    const connection = await openRaw(port)
    connection.write(bytes)
    t.match((await connection.read()).status, /^40[05]$/, bytes)
    connection.write(smuggled)
    t.equal(await connection.closed(), '', 'one answer, and nothing behind it')
    connection.end()
  }
  t.strictSame(upstream.requests, [])
})

t.test('a malformed request behind a good one is not taken for it', async (t) => {
  const { port, upstream } = await stage(t)
  upstream.behave('hang')
  const connection = await openRaw(port)
  connection.write(`${requestText(port, { path: '/x' })}garbage\r\n\r\n`)
  t.equal(await connection.closed(), '', 'the connection ends without an answer')
})

for (const framing of ['by its length', 'in chunks']) {
  t.test(`a body larger than the limit ${framing}`, async (t) => {
    const { port, upstream } = await stage(t, 'limits: { bodyBytes: 8B }')
    const post = (body: string) =>
      sendRaw(
        port,
        framing === 'by its length'
          ? requestText(port, { method: 'POST', path: '/x', body })
          : requestText(port, {
              method: 'POST',
              path: '/x',
              headers: [['Transfer-Encoding', 'chunked']],
              body: `${body.length}\r\n${body}\r\n0\r\n\r\n`,
            }),
      )
    const refused = await post('nine byte')
    t.match(refused, { status: 413, body: /"code":"body_too_large"/ })
    t.strictSame(refused.values('connection'), ['close'])
    t.strictSame(upstream.requests, [], 'it never arrives whole')
    t.match(await post('eight by'), { status: 200 })
    t.match(upstream.requests, [{ body: 'eight by' }])
  })
}

t.test('a head has no body, whatever the answer', async (t) => {
  const { port, upstream } = await stage(t)
  const connection = await openRaw(port)
  connection.write(requestText(port, { method: 'HEAD', path: '/x' }))
  t.match(await connection.read({ head: true }), { status: 200 })
  connection.write(requestText(port, { method: 'HEAD', path: '/x%00' }))
  const refused = await connection.read({ head: true })
  t.equal(refused.status, 400)
  t.match(refused.values('content-length'), [/^[1-9]\d+$/])
  t.equal(await connection.closed(), '')
  t.equal(upstream.requests.length, 1)
})
