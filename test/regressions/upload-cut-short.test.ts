/**
 * http-proxy never tells the upstream that a client has gone: it waits for the rest of an upload
 * for ever, or takes what it has for the whole. The other way round, an upstream that answers
 * before it has read a body (413) must be heard, while the client still writes.
 */
import { connect } from 'node:net'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { openRaw, requestText, type Header } from '../support/raw-http.ts'
import { startRawUpstream } from '../support/raw-upstream.ts'
import { createStage } from '../support/stage.ts'

const stage = (t: Test) =>
  createStage(t, {
    routes: ({ url }) => `- { name: all, path: /*, access: public, upstream: ${url} }`,
  })

const FRAMINGS: readonly {
  readonly name: string
  readonly framing: Header
  readonly body: string
}[] = [
  { name: 'by its length', framing: ['Content-Length', '9'], body: 'half' },
  { name: 'in chunks', framing: ['Transfer-Encoding', 'chunked'], body: '4\r\nhalf\r\n' },
]

for (const { name, framing, body } of FRAMINGS) {
  for (const leave of ['reset', 'end'] as const) {
    t.test(`an upload framed ${name}, cut short with ${leave}, is no request`, async (t) => {
      const { port, upstream } = await stage(t)
      const client = await openRaw(port)
      client.write(requestText(port, { method: 'POST', path: '/x', headers: [framing], body }))
      await once(upstream.server, 'request')
      client[leave]()
      await upstream.aborted()
      t.strictSame(upstream.requests, [])
      client.destroy()
    })
  }
}

t.test('an early answer reaches a client that still writes', async (t) => {
  // It reads on; one that resets the connection takes its own answer back.
  const upstream = await startRawUpstream(t, (socket, nth) => {
    if (nth === 1) socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n')
  })
  const { port } = await createStage(t, {
    routes: () => `- { name: all, path: /*, access: public, upstream: ${upstream.url} }`,
  })
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  const size = 16 * 1024 * 1024 // More than the kernel takes by itself.
  const headers = [['Content-Length', String(size)]] as const
  socket.write(requestText(port, { method: 'POST', path: '/x', headers }))
  const answer = once(socket, 'data')
  const ended = once(socket, 'end')
  for (let left = size; left > 0; left -= 1024 * 1024) {
    await new Promise((resolve) => socket.write(Buffer.alloc(1024 * 1024), resolve))
  }
  const [bytes] = (await answer) as [Buffer]
  t.match(bytes.toString(), /^HTTP\/1.1 413 /)
  t.match(bytes.toString(), /\r\nConnection: close\r\n/i)
  await ended
  socket.destroy()
})
