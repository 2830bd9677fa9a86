/** WebSockets over TLS, where HTTP/2 is spoken too. */
import { once } from 'node:events'
import { request } from 'node:https'
import t from 'tap'
import { WebSocket } from 'ws'
import { createTlsStage } from '../support/http2.ts'
import { startEchoUpstream, webSocketRoute } from '../support/web-socket.ts'

t.test('wss', async (t) => {
  const upstream = await startEchoUpstream(t)
  const { port, url, certificates } = await createTlsStage(t, {
    routes: webSocketRoute(upstream.url, ', access: public'),
  })
  const { ca } = certificates
  const webSocket = new WebSocket(`wss://localhost:${port}/ws/a`, { ca })
  await once(webSocket, 'open')
  webSocket.send('hello')
  t.match(String(await once(webSocket, 'message')), 'hello')
  webSocket.close(4000)
  t.match(await once(webSocket, 'close'), [4000])

  const headers = { Connection: 'Upgrade', Upgrade: 'h2c' }
  const call = request(`${url}/ws/a`, { ca, headers, agent: false }).end()
  const [answer] = (await once(call, 'response')) as [{ statusCode?: number; resume: () => void }]
  answer.resume()
  t.equal(answer.statusCode, 426, 'of the upstream: h2c is ignored')
})
