/**
 * Found while this gateway was tested: Node takes its own listeners off the socket of a CONNECT
 * request before it hands it over. A client that sent CONNECT and reset the connection made the
 * answer an `error` event nobody listened to, and that ended the process. A client that just stayed
 * silent kept its socket, and with it the process, for ever.
 */
import t from 'tap'
import { openRaw, requestText, sendRaw } from '../support/raw-http.ts'
import { createStage } from '../support/stage.ts'

const CONNECT = 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n'

t.test('a client that resets the connection after CONNECT', async (t) => {
  const { port } = await createStage(t)
  for (let nth = 0; nth < 20; nth++) {
    const connection = await openRaw(port)
    connection.write(CONNECT + 'x'.repeat(10_000))
    connection.reset()
  }
  t.match(await sendRaw(port, CONNECT), { status: 405 })
  t.match(await sendRaw(port, requestText(port, { path: '/api/x' })), { status: 401 })
})

t.test('a client that resets the connection behind nonsense', async (t) => {
  const { port } = await createStage(t)
  for (let nth = 0; nth < 20; nth++) {
    const connection = await openRaw(port)
    connection.write('nonsense\r\n\r\n' + 'x'.repeat(10_000))
    connection.reset()
  }
  t.match(await sendRaw(port, requestText(port, { path: '/api/x' })), { status: 401 })
})
