/**
 * Behind an answer that ends its connection requests were thrown away without being counted. Node
 * keeps each of them until the connection is closed, and then takes them down one by one, which
 * grows with their square: one client without a token could stop a gateway for many seconds.
 */
import { connect } from 'node:net'
import t from 'tap'
import { requestText } from '../support/raw-http.ts'
import { createStage } from '../support/stage.ts'
import { until } from '../support/until.ts'

t.test('they count as any other', async (t) => {
  const { port, log, send } = await createStage(t)
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  client.on('error', () => undefined)
  t.teardown(() => client.destroy())
  const closed = new Promise((resolve) => client.once('close', resolve))
  client.resume()
  client.write(requestText(port, { path: '/a/../b' }))
  client.write(requestText(port, { path: '/x' }).repeat(10_000))
  await until(() => log().some(({ code }) => code === 'overloaded'))
  client.destroy()
  await closed
  t.match(await send(), { status: 200 })
})
