/** TLS on the listener. */
import { once } from 'node:events'
import { request as httpsRequest } from 'node:https'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import t, { type Test } from 'tap'
import { createTlsStage, openHttp2, request2, type TlsStage } from '../support/http2.ts'
import { openRaw } from '../support/raw-http.ts'
import { until } from '../support/until.ts'

async function shake(
  t: Test,
  { port, certificates }: TlsStage,
  options: ConnectionOptions = {},
): Promise<TLSSocket> {
  const socket = connect({ port, host: 'localhost', ca: certificates.ca, ...options })
  t.teardown(() => socket.destroy())
  await once(socket, 'secureConnect')
  socket.on('error', () => undefined)
  return socket
}

async function get({ url, certificates }: TlsStage, path = '/x'): Promise<number | undefined> {
  const call = httpsRequest(url + path, { ca: certificates.ca, agent: false }).end()
  const [answer] = (await once(call, 'response')) as [{ statusCode?: number; resume: () => void }]
  answer.resume()
  return answer.statusCode
}

t.test('versions from 1.2, and HTTP/2 only where it is set', async (t) => {
  const [both, one] = [await createTlsStage(t), await createTlsStage(t, { http2: false })]
  const ALPNProtocols = ['h2', 'http/1.1']
  t.equal((await shake(t, both, { ALPNProtocols })).alpnProtocol, 'h2')
  t.equal((await shake(t, both, { ALPNProtocols: ['http/1.1'] })).alpnProtocol, 'http/1.1')
  t.equal((await shake(t, one, { ALPNProtocols })).alpnProtocol, 'http/1.1')
  t.equal((await shake(t, one, { maxVersion: 'TLSv1.2' })).getProtocol(), 'TLSv1.2')
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const
  await t.rejects(shake(t, one, old), { code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' })
})

t.test('what is no TLS, or no HTTP in it, disturbs nobody', async (t) => {
  const stage = await createTlsStage(t, {
    server: '  timeouts: { headers: 200ms, request: 200ms }',
  })
  for (const bytes of [
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    '\x16\x03\x01\xff\xff',
    'PRI * HTTP/2.0',
  ]) {
    const connection = await openRaw(stage.port)
    connection.write(Buffer.from(bytes, 'latin1'))
    t.notMatch(await connection.closed(), /HTTP\/1/, 'closed, in time')
  }
  const silent = await openRaw(stage.port)
  t.equal(await silent.closed(), '')
  ;(await openRaw(stage.port)).reset()
  const garbage = await shake(t, stage, { ALPNProtocols: ['h2'] })
  garbage.resume().write('no preface of HTTP/2 at all')
  await until(() => garbage.closed)
  const malformed = await shake(t, stage)
  malformed.write('no HTTP\r\n\r\n')
  const [answer] = (await once(malformed, 'data')) as [Buffer]
  t.match(answer.toString(), /^HTTP\/1.1 400 [^]*"code":"header_invalid"/)
  t.equal(await get(stage), 200)
})

t.test('the scheme of the request is https', async (t) => {
  const stage = await createTlsStage(t, {
    routes: ({ url }) => `- { name: api, path: /api/*, upstream: ${url} }`,
  })
  const token = await stage.mint()
  const session = await openHttp2(t, stage)
  const send = async (htu: string, proof?: string) => {
    const headers = {
      ':path': '/api/orders',
      authorization: `DPoP ${token}`,
      dpop: proof ?? (await stage.client.proof({ url: htu, token })),
    }
    return request2(session, headers)
  }
  const proof = await stage.client.proof({ url: `${stage.url}/api/orders`, token })
  t.match(await send('', proof), { status: 200 })
  t.match(await send('', proof), { status: 401, body: /"code":"proof_replayed"/ })
  const plain = `${stage.url.replace('https', 'http')}/api/orders`
  t.match(await send(plain), { status: 401, body: /"code":"proof_target"/ })
  const twice = await request2(session, {
    ':path': '/api/orders',
    authorization: `DPoP ${token}`,
    dpop: [await stage.client.proof({ url: `${stage.url}/api/orders`, token }), 'x'],
  })
  t.match(twice, { status: 401, body: /"code":"proof_multiple"/ })
  t.match(stage.upstream.requests, [{ url: '/api/orders' }])
  t.equal(stage.upstream.requests.length, 1)
})

t.test('the log and the address say https', async (t) => {
  const stage = await createTlsStage(t)
  const line = stage.log().find(({ msg }) => msg === 'listening')
  t.match(line, { traffic: `https://127.0.0.1:${stage.port}` })
})

t.test('a drain closes what has sent nothing yet', async (t) => {
  const stage = await createTlsStage(t, { drain: '{ delay: 0s, timeout: 60s }' })
  const [raw, http1] = [await openRaw(stage.port), await shake(t, stage)]
  http1.resume()
  await stage.stop()
  t.equal(await raw.closed(), '')
  await until(() => http1.closed)
})
