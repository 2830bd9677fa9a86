/**
 * With a listener for upgrades Node hands it every request with `Upgrade`, and no parser for the
 * body any more: what smuggles requests through others by h2c is here a request like any other.
 */
import t from 'tap'
import { openRaw, requestText, sendRaw } from '../support/raw-http.ts'
import { createStage } from '../support/stage.ts'

const H2C = [
  ['Connection', 'Upgrade, HTTP2-Settings'],
  ['Upgrade', 'h2c'],
  ['HTTP2-Settings', 'AAMAAABkAARAAAAAAAIAAAAA'],
] as const

t.test('Upgrade: h2c is ignored', async (t) => {
  const { port, upstream } = await createStage(t, {
    routes: ({ url }) =>
      [
        `- { name: all, path: /*, access: public, websocket: true, upstream: ${url} }`,
        `- { name: api, path: /api/*, upstream: ${url} }`,
      ].join('\n'),
  })
  const body = requestText(port, { path: '/smuggled' })
  const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
  for (const { headers, sent } of [
    { headers: H2C, sent: body },
    { headers: [...H2C, ['Transfer-Encoding', 'chunked']] as const, sent: chunked },
  ]) {
    const before = upstream.requests.length
    const posted = await sendRaw(
      port,
      requestText(port, { method: 'POST', path: '/x?y', headers, body: sent }),
    )
    t.match(posted, { status: 200 })
    const connection = await openRaw(port)
    for (const path of ['/next', '/api/x']) {
      connection.write(requestText(port, { path, headers: H2C }))
    }
    t.match(await connection.read(), { status: 200 })
    t.match(await connection.read(), { status: 401 }, 'the policy of its path holds')
    const [first, second, ...others] = upstream.requests.slice(before)
    t.match(first, { method: 'POST', url: '/x?y', body })
    t.match(second, { method: 'GET', url: '/next', body: '' })
    t.strictSame(others, [])
    for (const name of ['upgrade', 'http2-settings']) t.strictSame(first?.values(name), [], name)
    t.notMatch(String(first?.values('connection')), /upgrade/i)
    connection.destroy()
  }
})
