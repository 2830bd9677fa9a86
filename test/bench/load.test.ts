/** The load generator tells answers apart, lets none pass that is wrong, and hides no waiting. */
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { keepBusy } from '../../bench/load/closed.ts'
import { createReader, type Answer } from '../../bench/load/connection.ts'
import { holdRate } from '../../bench/load/open.ts'
import { percentile } from '../../bench/load/result.ts'

const ANSWERS = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
  'HTTP/1.1 502 Bad Gateway\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
]

for (const size of [1, 2, 3, 7, 50, 1000]) {
  t.test(`answers are told apart in pieces of ${size} bytes`, async (t) => {
    const answers: Answer[] = []
    const read = createReader((answer) => answers.push(answer))
    for (const text of ANSWERS) {
      const bytes = Buffer.from(text)
      for (let at = 0; at < bytes.length; at += size) {
        const piece = Buffer.alloc(64, '\r\n\r\n') // What lies behind the piece is not looked at.
        const length = bytes.subarray(at, at + size).copy(piece)
        if (size <= piece.length) read(piece, length)
        else read(bytes, bytes.length)
      }
    }
    t.strictSame(
      answers.map(({ status, closes }) => ({ status, closes })),
      [
        { status: 200, closes: false },
        { status: 401, closes: true },
        { status: 502, closes: false },
        { status: 204, closes: false },
      ],
    )
  })
}

t.test('an answer that has no end is none', async (t) => {
  const read = createReader(() => t.fail('answered'))
  const bytes = Buffer.from('HTTP/1.1 200 OK\r\nServer: x\r\n\r\n')
  t.throws(() => {
    read(bytes, bytes.length)
  }, /without an end/)
})

t.test(
  'a closed loop sends each request once, over as many connections as it is told',
  async (t) => {
    const seen: string[] = []
    const ports = new Set<number | undefined>()
    const port = await serve(t, (request, response) => {
      seen.push(request.url ?? '')
      ports.add(request.socket.remotePort)
      response.end('ok')
    })
    const { latencies } = await keepBusy({
      port,
      requests: gets(50),
      connections: 4,
      expected: 200,
    })
    t.strictSame(seen.sort(), gets(50).map(pathOf).sort())
    t.equal(ports.size, 4)
    t.equal(latencies.length, 50)
  },
)

t.test('a connection that the server closes after its answer is opened anew', async (t) => {
  let requests = 0
  const port = await serve(t, (_, response) => {
    requests += 1
    response.writeHead(401, { Connection: 'close', 'Content-Length': 0 }).end()
  })
  await keepBusy({ port, requests: gets(6), connections: 2, expected: 401 })
  t.equal(requests, 6)
})

for (const [name, send] of [
  ['closed', keepBusy],
  ['open', (load: Parameters<typeof keepBusy>[0]) => holdRate(load, 1000)],
] as const) {
  t.test(`one other status fails a load, ${name} loop`, async (t) => {
    const port = await serve(t, ({ url }, response) => {
      response.writeHead(url === '/7' ? 503 : 200, { 'Content-Length': 0 }).end()
    })
    const load = { port, requests: gets(20), connections: 3, expected: 200 }
    await t.rejects(send(load), /expected a 200, but was answered HTTP\/1\.1 503/)
  })

  t.test(`a broken connection fails a load, ${name} loop`, async (t) => {
    const port = await serve(t, ({ url, socket }, response) => {
      if (url === '/7') socket.destroy()
      else response.end('ok')
    })
    const load = { port, requests: gets(20), connections: 3, expected: 200 }
    await t.rejects(send(load), /closed the connection|ECONNRESET|EPIPE/)
  })
}

t.test('an open loop counts the time a request had to wait for the one before', async (t) => {
  const STALL_MS = 300
  const port = await serve(t, ({ url }, response) => {
    setTimeout(() => response.end('ok'), url === '/0' ? STALL_MS : 0)
  })
  const load = { port, requests: gets(10), connections: 1, expected: 200 }
  const { latencies, seconds } = await holdRate(load, 100)
  // The last was due after 90 ms, and could not be sent before the stall was over.
  t.ok((latencies[0] ?? 0) >= STALL_MS - 100, `${latencies[0]} ms`)
  t.ok(percentile(latencies, 1) >= STALL_MS - 5)
  t.ok(seconds >= STALL_MS / 1000)
})

t.test('percentiles are by nearest rank', async (t) => {
  const values = Float64Array.from({ length: 1000 }, (_, at) => at + 1)
  t.strictSame(
    [0.5, 0.99, 0.999, 1].map((share) => percentile(values, share)),
    [500, 990, 999, 1000],
  )
})

function gets(count: number): readonly Buffer[] {
  return Array.from({ length: count }, (_, at) =>
    Buffer.from(`GET /${at} HTTP/1.1\r\nHost: x\r\n\r\n`),
  )
}

function pathOf(request: Buffer): string {
  return request.toString().split(' ')[1] ?? ''
}

async function serve(t: Test, handle: RequestListener): Promise<number> {
  const server = createServer(handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return (server.address() as AddressInfo).port
}
