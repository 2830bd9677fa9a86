import { createServer, type AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { openRaw, request, sendRaw } from './raw-http.ts'
import { startUpstream } from './upstream.ts'

/** A server that answers whatever comes with these bytes, and closes. */
async function startCanned(t: Test, answer: string): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => socket.end(answer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

t.test('reads every framing', async (t) => {
  const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
  const cases = [
    { name: 'length', answer: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabcd', body: 'ab' },
    { name: 'until close', answer: 'HTTP/1.0 200 OK\r\n\r\nabc', body: 'abc' },
    { name: 'chunks', answer: `${chunked}2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n`, body: 'abc' },
    { name: 'trailers', answer: `${chunked}1\r\na\r\n0\r\nX: y\r\n\r\n`, body: 'a' },
    { name: 'no content', answer: 'HTTP/1.1 204 No Content\r\n\r\n', body: '', status: 204 },
    {
      name: 'interim',
      answer: 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na',
      body: 'a',
    },
  ]
  for (const { name, answer, body, status = 200 } of cases) {
    const response = await sendRaw(await startCanned(t, answer), 'GET / HTTP/1.1\r\n\r\n')
    t.match(response, { status, body, complete: true }, name)
  }
  const cut = await startCanned(t, `${chunked}5\r\nab`)
  t.match(await sendRaw(cut, 'GET / HTTP/1.1\r\n\r\n'), { status: 200, complete: false })
})

t.test('headers keep their order, case and number', async (t) => {
  const answer = 'HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a:2\r\nContent-Length: 0\r\n\r\n'
  const response = await sendRaw(await startCanned(t, answer), 'GET / HTTP/1.1\r\n\r\n')
  t.strictSame(response.headers.slice(0, 2), [
    ['X-A', '1'],
    ['x-a', '2'],
  ])
  t.strictSame(response.values('X-a'), ['1', '2'])
})

t.test('the upstream shows what it received, and pipelined answers come apart', async (t) => {
  const upstream = await startUpstream(t)
  const headers = [
    ['DPoP', 'a'],
    ['dpop', 'b'],
  ] as const
  const response = await request(upstream.port, { method: 'POST', path: '/x', headers, body: 'hi' })
  t.match(JSON.parse(response.body), { method: 'POST', url: '/x', body: 'hi' })
  t.strictSame(upstream.requests[0]?.values('DPoP'), ['a', 'b'])

  const connection = await openRaw(upstream.port)
  t.teardown(connection.destroy)
  connection.write('GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n')
  t.match(JSON.parse((await connection.read()).body), { url: '/1' })
  t.match(JSON.parse((await connection.read()).body), { url: '/2' })
  connection.end()
  t.equal(await connection.closed(), '')
})

t.test('every behaviour of the upstream', async (t) => {
  const upstream = await startUpstream(t)
  const get = (deadlineMs = 5000) => request(upstream.port, { path: '/' }, { deadlineMs })

  upstream.behave('hang')
  await t.rejects(get(50), /nothing complete within 50 ms/)
  await upstream.aborted()
  t.equal(upstream.requests[0]?.aborted, true)
  upstream.behave('reset')
  await t.rejects(get(), /closed before a response/)
  upstream.behave('truncated')
  t.match(await get(), { status: 200, body: 'first', complete: false })
  upstream.behave('slow')
  t.match(await get(), { status: 200, body: 'xxxxxxxxxx' })
  upstream.behave('huge')
  await t.rejects(get(50), /nothing complete/)
  upstream.behave('early413')
  t.match(await get(), { status: 413, body: 'too large' })
})
