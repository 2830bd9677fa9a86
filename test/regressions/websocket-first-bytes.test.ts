/** What a server sends together with its 101 belongs to the WebSocket. */
import { once } from 'node:events'
import t from 'tap'
import { openRaw, requestText, type Header } from '../support/raw-http.ts'
import { startRawUpstream } from '../support/raw-upstream.ts'
import { createStage } from '../support/stage.ts'
import { HANDSHAKE, openWebSocket, webSocketRoute } from '../support/web-socket.ts'

const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
const ACCEPT = /sec-websocket-key: (.+)\r\n/i

t.test('a greeting in the packet of the 101 arrives', async (t) => {
  const { createHash } = await import('node:crypto')
  const upstream = await startRawUpstream(t, (socket) => {
    const [, key = ''] = ACCEPT.exec(upstream.requests.at(-1) ?? '') ?? []
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    const head = `${SWITCHED}Sec-WebSocket-Accept: ${accept.digest('base64')}\r\n\r\n`
    // A whole frame, and the header of another one without its payload.
    socket.write(Buffer.from(`${head}\x81\x05hello\x81\x05`, 'latin1'))
    setImmediate(() => socket.write('later'))
  })
  const stage = await createStage(t, { routes: webSocketRoute(upstream.url) })
  const { nextMessage } = await openWebSocket(stage)
  t.equal(await nextMessage(), 'hello')
  t.equal(await nextMessage(), 'later')
})

t.test('a field named as what every object has', async (t) => {
  const upstream = await startRawUpstream(t, (socket) => {
    socket.write(`${SWITCHED}\r\n`)
  })
  const stage = await createStage(t, { routes: webSocketRoute(upstream.url, ', access: public') })
  const headers: readonly Header[] = [...HANDSHAKE, ['constructor', 'x']]
  const connection = await openRaw(stage.port)
  connection.write(requestText(stage.port, { path: '/ws/a', headers }))
  t.match(await connection.read(), { status: 101 })
  t.match(upstream.requests[0], /^constructor: x\r$/m)
  connection.destroy()
})

t.test('an answer that Node would not send is 502', async (t) => {
  const upstream = await startRawUpstream(t, (socket) => {
    socket.write('HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n')
  })
  const stage = await createStage(t, { routes: webSocketRoute(upstream.url, ', access: public') })
  const connection = await openRaw(stage.port)
  connection.write(requestText(stage.port, { path: '/ws/a', headers: HANDSHAKE }))
  t.match(await connection.read(), { status: 502 })
})

t.test('many foreign upgrades on one connection pile nothing up', async (t) => {
  const warnings: Error[] = []
  const onWarning = (warning: Error) => void warnings.push(warning)
  process.on('warning', onWarning)
  t.teardown(() => process.off('warning', onWarning))
  const stage = await createStage(t)
  const connection = await openRaw(stage.port)
  const request = requestText(stage.port, {
    path: '/nowhere',
    headers: [
      ['Connection', 'Upgrade'],
      ['Upgrade', 'foo'],
    ],
  })
  let answered = 0
  for (; answered < 30; answered++) {
    connection.write(request)
    const { status, values } = await connection.read()
    t.equal(status, 404)
    if (values('connection').includes('close')) break
  }
  await Promise.race([once(process, 'warning'), new Promise((resolve) => setImmediate(resolve))])
  t.strictSame(warnings, [])
  t.ok(answered > 0)
})
