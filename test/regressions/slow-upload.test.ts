/**
 * Uploads that never end held the connections of an upstream until the whole request timed out, on
 * public routes without any credentials: protected routes to the same upstream were starved.
 */
import t from 'tap'
import { openRaw } from '../support/raw-http.ts'
import { createStage } from '../support/stage.ts'

t.test('a client that pauses in its body for too long gets 408', async (t) => {
  const { port, upstream, log } = await createStage(t, {
    routes: ({ url }) =>
      `- { name: open, path: /*, access: public, upstream: ${url}, timeouts: { idle: 200ms } }`,
  })
  const connection = await openRaw(port)
  t.teardown(connection.destroy)
  connection.write('POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\na')
  const answer = await connection.read()
  t.equal(answer.status, 408)
  t.match(JSON.parse(answer.body), { code: 'request_timeout' })
  t.match(log().at(-1), { code: 'request_timeout', status: 408 })
  t.strictSame(upstream.requests, [])
})
