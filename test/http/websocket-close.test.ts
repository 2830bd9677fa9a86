/** How a WebSocket ends: with its token, with the gateway, or when nothing comes any more. */
import t from 'tap'
import { openRaw, requestText } from '../support/raw-http.ts'
import { startRawUpstream } from '../support/raw-upstream.ts'
import { createStage } from '../support/stage.ts'
import { until } from '../support/until.ts'
import {
  HANDSHAKE,
  openWebSocket,
  startEchoUpstream,
  webSocketRoute,
} from '../support/web-socket.ts'

const now = () => Math.floor(Date.now() / 1000)

t.test('it is closed with 1008 when the token expires', async (t) => {
  const upstream = await startEchoUpstream(t)
  const stage = await createStage(t, {
    routes: webSocketRoute(upstream.url),
    issuer: 'clockSkew: 0s',
  })
  const { webSocket, nextMessage, closed } = await openWebSocket(stage, {
    claims: { exp: now() + 3 },
  })
  webSocket.send('still good')
  t.equal(await nextMessage(), 'still good')
  t.equal(await closed, 1008)
  await until(() => upstream.closes.length === 1)
  t.strictSame(upstream.closes, [1008], 'the upstream is told too')
  await until(() => stage.log().some(({ status }) => status === 101))
})

for (const direction of ['down', 'up'] as const) {
  t.test(`in a stream of large frames ${direction} too`, async (t) => {
    const upstream = await startEchoUpstream(t)
    const stage = await createStage(t, {
      routes: webSocketRoute(upstream.url),
      issuer: 'clockSkew: 0s',
    })
    const { webSocket, closed } = await openWebSocket(stage, { claims: { exp: now() + 3 } })
    await until(() => upstream.clients.size === 1)
    const [peer] = upstream.clients
    const source = direction === 'down' ? peer : webSocket
    if (!source) throw new Error('no WebSocket')
    const frame = Buffer.alloc(300_001)
    let sent = 0
    const pump = (): void => {
      if (source.readyState !== source.OPEN) return
      sent += 1
      source.send(frame, () => setImmediate(pump))
    }
    pump()
    const reasons: string[] = []
    webSocket.on('error', ({ message }) => reasons.push(message))
    t.equal(await closed, 1008)
    t.strictSame(reasons, [], 'no frame was cut short')
    t.ok(sent > 10, `${sent} frames`)
    await until(() => upstream.closes.length === 1)
    t.strictSame(upstream.closes, [1008])
  })
}

t.test('it is closed with 1001 when the gateway stops', async (t) => {
  const upstream = await startEchoUpstream(t)
  const stage = await createStage(t, {
    routes: webSocketRoute(upstream.url),
    drain: '{ delay: 0s, timeout: 20s }',
  })
  const all = await Promise.all([1, 2, 3].map(() => openWebSocket(stage)))
  const stopped = stage.stop()
  t.strictSame(await Promise.all(all.map(({ closed }) => closed)), [1001, 1001, 1001])
  await stopped
  await until(() => upstream.closes.length === 3)
  t.strictSame(upstream.closes, [1001, 1001, 1001])
})

t.test('it is closed with 1001 when nothing comes either way', async (t) => {
  const upstream = await startEchoUpstream(t)
  const stage = await createStage(t, {
    routes: webSocketRoute(upstream.url, ', timeouts: { idle: 1s }'),
  })
  const { closed } = await openWebSocket(stage)
  t.equal(await closed, 1001)
})

t.test('a client that does not close is cut off', async (t) => {
  const upstream = await startEchoUpstream(t)
  const stage = await createStage(t, {
    routes: webSocketRoute(upstream.url, ', timeouts: { idle: 200ms }'),
  })
  const { webSocket, closed } = await openWebSocket(stage)
  webSocket.pause()
  const { log } = stage
  await until(() => log().some(({ status }) => status === 101), 20_000)
  t.equal(upstream.clients.size, 0)
  webSocket.resume()
  t.equal(await closed, 1001, 'the Close frame had come all the same')
})

t.test('where neither side closes, both are cut off after five seconds', async (t) => {
  const upstream = await startRawUpstream(t, (socket) => {
    const fields = 'Connection: Upgrade\r\nUpgrade: websocket'
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${fields}\r\n\r\n`)
    socket.removeAllListeners('data').resume()
  })
  const { port, log } = await createStage(t, {
    routes: webSocketRoute(upstream.url, ', access: public, timeouts: { idle: 200ms }'),
  })
  const startedAt = performance.now()
  const client = await openRaw(port)
  client.write(requestText(port, { path: '/ws/a', headers: HANDSHAKE }))
  t.match(await client.read(), { status: 101 })
  t.equal(await client.closed({ deadlineMs: 20_000 }), '\x88\x02\x03\xe9', '1001')
  await until(() => upstream.connections.every(({ closed }) => closed))
  t.ok(performance.now() - startedAt > 5000, 'and not before')
  await until(() => log().some(({ status }) => status === 101))
  client.destroy()
})
