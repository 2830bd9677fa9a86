/**
 * docs/cases.md row 255. Servers that do not mind how RFC 9112 frames a message execute what hides
 * in a body as a request of its own (CVE-2022-31813, CVE-2023-25690 and many more). Whatever a
 * client sends, the bytes that reach the upstream hold one request for all of them, and no identity.
 */
import { createServer, type AddressInfo, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { LENIENCIES, readLeniently } from '../support/lenient-reader.ts'
import { openRaw } from '../support/raw-http.ts'
import { createStage } from '../support/stage.ts'

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'
const SIZE = SMUGGLED.length
const CHUNKS = `${SIZE.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`
const TE = 'Transfer-Encoding: chunked'
const CL = `Content-Length: ${SIZE}`

interface Sent {
  readonly name: string
  readonly fields: readonly string[]
  readonly body?: string
  readonly line?: string
  /** Of the answer, whatever the method. 204 comes from the upstream; with none the end comes. */
  readonly status: 204 | 400 | 405 | 505 | 'none'
}

// prettier-ignore
const FRAMINGS: readonly Sent[] = [
  { name: 'chunks', status: 204, fields: [TE], body: CHUNKS },
  { name: 'a length', status: 204, fields: [CL], body: SMUGGLED },
  { name: 'a trailer with an identity', status: 204, fields: [TE, 'Trailer: X-Auth-Subject'], body: CHUNKS.replace(/\r\n$/, 'X-Auth-Subject: root\r\n\r\n') },
  { name: 'a trailer with a length', status: 400, fields: [TE, 'Trailer: Content-Length'], body: CHUNKS.replace(/\r\n$/, 'Content-Length: 5\r\n\r\n') },
  { name: 'TE and chunks', status: 204, fields: [TE, 'TE: trailers, chunked'], body: CHUNKS },
  { name: 'Expect and chunks', status: 204, fields: [TE, 'Expect: 100-continue'], body: CHUNKS },
  { name: 'Expect and a length', status: 204, fields: [CL, 'Expect: 100-continue'], body: SMUGGLED },
  { name: 'a chunk extension', status: 204, fields: [TE], body: CHUNKS.replace('\r\n', ';a=b;c="d"\r\n') },
  { name: 'a chunk extension with a line end in quotes', status: 400, fields: [TE], body: CHUNKS.replace('\r\n', ';a="\r\n') },
  { name: 'a chunk size in 0x', status: 400, fields: [TE], body: `0x${CHUNKS}` },
  { name: 'a chunk size with a sign', status: 400, fields: [TE], body: `+${CHUNKS}` },
  { name: 'a chunk size with a space behind', status: 400, fields: [TE], body: CHUNKS.replace('\r\n', ' \r\n') },
  { name: 'a chunk size beyond 64 bits', status: 400, fields: [TE], body: `1${'0'.repeat(16)}${CHUNKS}` },
  { name: 'a chunk size of many zeros', status: 204, fields: [TE], body: `${'0'.repeat(300)}${CHUNKS}` },
  { name: 'a last chunk of another writing', status: 204, fields: [TE], body: CHUNKS.replace('\r\n0\r\n', '\r\n000;x\r\n') },
  { name: 'CL.TE', status: 400, fields: [CL, TE], body: `0\r\n\r\n${SMUGGLED}` },
  { name: 'TE.CL', status: 400, fields: [TE, 'Content-Length: 4'], body: CHUNKS },
  { name: 'no length and chunks', status: 400, fields: ['Content-Length: 0', TE], body: CHUNKS },
  { name: 'TE.TE', status: 400, fields: [TE, 'Transfer-Encoding: identity'], body: `0\r\n\r\n${SMUGGLED}` },
  { name: 'TE.TE in one line', status: 400, fields: ['Transfer-Encoding: chunked, identity'], body: `0\r\n\r\n${SMUGGLED}` },
  { name: 'xchunked', status: 400, fields: ['Transfer-Encoding: xchunked', CL], body: `0\r\n\r\n${SMUGGLED}` },
  { name: 'chunked in quotes', status: 400, fields: ['Transfer-Encoding: "chunked"'], body: CHUNKS },
  { name: 'chunked with a parameter', status: 400, fields: ['Transfer-Encoding: chunked;a=b'], body: CHUNKS },
  { name: 'Transfer_Encoding', status: 204, fields: ['Transfer_Encoding: chunked', CL], body: `0\r\n\r\n${SMUGGLED}`.slice(0, SIZE) },
  { name: 'Content_Length', status: 204, fields: ['Content_Length: 0', CL], body: SMUGGLED },
  { name: 'Content.Length', status: 204, fields: ['Content.Length: 0', CL], body: SMUGGLED },
  { name: 'Connection nominates the length', status: 204, fields: ['Connection: X-Auth-Subject, Content-Length', CL], body: SMUGGLED },
  { name: 'Connection nominates the coding', status: 204, fields: ['Connection: Transfer-Encoding', TE], body: CHUNKS },
  { name: 'a folded coding', status: 400, fields: ['Transfer-Encoding:\r\n chunked', CL], body: `0\r\n\r\n${SMUGGLED}` },
  { name: 'a folded field that hides a length', status: 400, fields: ['X: a\r\n Content-Length: 0', CL], body: SMUGGLED },
  { name: 'a space before the colon', status: 400, fields: ['Content-Length : 0', CL], body: SMUGGLED },
  { name: 'the same length twice', status: 400, fields: [CL, CL], body: SMUGGLED },
  { name: 'two lengths', status: 400, fields: ['Content-Length: 0', CL], body: SMUGGLED },
  { name: 'a length with a sign', status: 400, fields: [`Content-Length: +${SIZE}`], body: SMUGGLED },
  { name: 'a list of lengths', status: 400, fields: [`Content-Length: ${SIZE}, ${SIZE}`], body: SMUGGLED },
  { name: 'a length in hex', status: 400, fields: [`Content-Length: 0x${SIZE.toString(16)}`], body: SMUGGLED },
  { name: 'a carriage return in a field', status: 400, fields: [`X: a\rContent-Length: 0`, CL], body: SMUGGLED },
  { name: 'a line feed in a field', status: 400, fields: [`X: a\nContent-Length: 0`, CL], body: SMUGGLED },
  { name: 'a NUL in a field', status: 400, fields: [`Content-Length: 0\0`, CL], body: SMUGGLED },
  { name: 'a request hidden in a field', status: 400, fields: [`X: a\r\r${SMUGGLED.trim().replaceAll('\r\n', '\r')}`] },
  { name: 'aliases of identity', status: 400, fields: ['X_Auth_Subject: root', 'X.Auth.Subject: root', 'X-Auth_Subject: root', 'X-Auth-Subject : root'] },
  { name: 'aliases of identity, well-formed', status: 204, fields: ['X_Auth_Subject: root', 'X.Auth.Subject: root', 'X-Auth_Subject: root'] },
  { name: 'a nominated identity', status: 204, fields: ['Connection: X-Auth-Subject', 'X-Auth-Subject: root'] },
  { name: 'h2c', status: 204, fields: ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA'] },
  { name: 'h2c, and what is no request behind it', status: 'none', fields: ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA'], body: SMUGGLED.replace('GET', 'PRI') },
  { name: 'HTTP/0.9', status: 505, line: 'GET /x', fields: [], body: SMUGGLED },
  { name: 'HTTP/1.0 in chunks', status: 400, line: 'POST /x HTTP/1.0', fields: [TE], body: CHUNKS },
  { name: 'an absolute target of another host', status: 400, line: 'POST http://other/x HTTP/1.1', fields: [CL], body: SMUGGLED },
  { name: 'behind a refused request', status: 400, line: 'GET /../x HTTP/1.1', fields: [], body: SMUGGLED },
  { name: 'behind CONNECT', status: 405, line: 'CONNECT a:1 HTTP/1.1', fields: [], body: SMUGGLED },
]

/** Records what comes in, and answers once a request as it should be is complete. */
async function startRecorder(t: Test) {
  const streams: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    const nth = streams.push('') - 1
    sockets.add(socket.on('error', () => undefined))
    let answered = 0
    socket.on('data', (chunk) => {
      const stream = (streams[nth] ?? '') + chunk.toString('latin1')
      streams[nth] = stream
      const complete = stream.includes('\r\n\r\n') && isComplete(stream)
      if (complete && answered++ === 0) socket.end('HTTP/1.1 204 No\r\nConnection: close\r\n\r\n')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, streams }
}

function isComplete(stream: string): boolean {
  if (/^transfer-encoding: chunked\r$/im.test(stream)) return stream.endsWith('0\r\n\r\n')
  const length = Number(/^content-length: (\d+)\r$/im.exec(stream)?.[1] ?? 0)
  return stream.length - stream.indexOf('\r\n\r\n') - 4 >= length
}

/** What lenient servers would have done besides the one request. */
function harm(streams: readonly string[]): string[] {
  return streams.flatMap((stream) =>
    LENIENCIES.flatMap((leniency) => {
      const [first, ...others] = readLeniently(stream, leniency)
      const forged = first?.fields.filter(([name]) => name === 'x-auth-subject') ?? []
      return [...others.map(({ line }) => line), ...forged.map(([, value]) => value)].map(
        (what) => `${leniency.name}: ${what}`,
      )
    }),
  )
}

t.test('the readers do see what is smuggled', async (t) => {
  const get = 'GET /x HTTP/1.1\r\nHost: a\r\n'
  const seen = (bytes: string) => harm([bytes]).map((it) => it.replace(/:.*/s, ''))
  t.strictSame(seen(`${get}${CL}\r\n\r\n${SMUGGLED}`), ['no body of these methods'])
  t.strictSame(seen(`${get}Connection: close\r\n${CL}\r\n\r\n${SMUGGLED}`), [])
  t.ok(seen(`${get}${TE}\r\n\r\n${CHUNKS}`).includes('no chunks'))
  t.ok(seen(`${get}${CL}\r\nContent-Length: 0\r\n\r\n${SMUGGLED}`).includes('the last length'))
  t.ok(seen(`${get}X: a\nContent-Length: 0\r\n${CL}\r\n\r\n${SMUGGLED}`).length > 1)
  t.ok(seen(`${get}${TE}\r\n\r\n0\r\nX-Auth-Subject: root\r\n\r\n`).includes('trailers'))
  t.equal(seen(`${get}X_Auth_Subject: root\r\n\r\n`).length, LENIENCIES.length)
})

const METHODS = ['GET', 'HEAD', 'OPTIONS', 'DELETE', 'POST', 'PUT', 'PROPFIND']

for (const { name, fields, body = '', line, status } of FRAMINGS) {
  t.test(`${name} smuggles nothing`, async (t) => {
    const upstream = await startRecorder(t)
    const { port } = await createStage(t, {
      routes: () => `- { name: all, path: /*, access: public, upstream: "${upstream.url}" }`,
    })
    for (const method of METHODS) {
      const start = line?.replace('POST', method) ?? `${method} /x HTTP/1.1`
      const connection = await openRaw(port)
      const head = [start, 'Host: a', ...fields, '', ''].join('\r\n')
      connection.write(Buffer.from(head + body, 'latin1'))
      if (status !== 'none') {
        const answer = await connection.read({ head: method === 'HEAD', deadlineMs: 30_000 })
        t.equal(answer.status, status, method)
        connection.end()
      }
      const rest = await connection.closed({ deadlineMs: 30_000 })
      if (status === 'none') t.equal(rest, '', method)
      connection.destroy()
      t.strictSame(harm(upstream.streams), [], method)
    }
    if (status === 204) t.equal(upstream.streams.length, METHODS.length, 'each request arrived')
  })
}
