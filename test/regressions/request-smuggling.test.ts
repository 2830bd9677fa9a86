/**
 * http-proxy 1.18.1 turns OPTIONS and DELETE with a chunked body into `Content-Length: 0` and pipes
 * the raw body behind it: on a connection that is kept open, the body is the next request. It also
 * dies of a GET with `Trailer`, and skips the hook that strips fields where there is an `Expect`.
 * Here every body reaches the upstream as a body, whatever the method.
 */
import t from 'tap'
import { requestText, sendRaw, type Header } from '../support/raw-http.ts'
import { createStage } from '../support/stage.ts'

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'
const chunked: Header = ['Transfer-Encoding', 'chunked']
const inChunks = `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`
const withTrailer = inChunks.replace(/\r\n$/, 'X-Auth-Subject: root\r\n\r\n')

// prettier-ignore
const BODIES: readonly { readonly name: string; readonly headers: readonly Header[]; readonly body: string }[] = [
  { name: 'in chunks', headers: [chunked], body: inChunks },
  { name: 'in chunks with a trailer', headers: [chunked, ['Trailer', 'X-Auth-Subject']], body: withTrailer },
  { name: 'by its length', headers: [], body: SMUGGLED },
  { name: 'in chunks that Connection nominates', headers: [chunked, ['Connection', 'Transfer-Encoding']], body: inChunks },
  { name: 'by a length that Connection nominates', headers: [['Connection', 'Content-Length']], body: SMUGGLED },
  { name: 'in chunks, expecting', headers: [chunked, ['Expect', '100-continue']], body: inChunks },
]

t.test('a body is a body for every method', async (t) => {
  const { port, upstream } = await createStage(t, {
    routes: ({ url }) => `- { name: all, path: /*, access: public, upstream: ${url} }`,
  })
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'DELETE', 'POST', 'PUT', 'PATCH', 'PROPFIND']) {
    for (const { name, headers, body } of BODIES) {
      const before = upstream.requests.length
      const bytes = requestText(port, { method, path: '/x', headers, body })
      t.equal((await sendRaw(port, bytes)).status, 200, `${method} ${name}`)
      t.match((await sendRaw(port, requestText(port, { path: '/next' }))).status, 200)
      const [received, next, ...others] = upstream.requests.slice(before)
      t.match(received, { method, url: '/x', body: SMUGGLED }, `${method} ${name}`)
      t.strictSame(received?.values('x-auth-subject'), [], 'no trailer is a field')
      t.match(next, { method: 'GET', url: '/next' })
      t.strictSame(others, [])
    }
  }
})
