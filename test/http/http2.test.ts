/** HTTP/2: what of HTTP/1.1 must hold there too (RFC 9113). */
import { once } from 'node:events'
import { request as httpsRequest } from 'node:https'
import t from 'tap'
import { createTlsStage, openHttp2, request2 } from '../support/http2.ts'

t.test('a request is forwarded with its body, and the answer comes back', async (t) => {
  const stage = await createTlsStage(t)
  const session = await openHttp2(t, stage)
  const answer = await request2(
    session,
    { ':method': 'POST', ':path': '/x?y=1', 'x-own': 'a', cookie: ['a=1', 'b=2'] },
    'hello',
  )
  t.equal(answer.status, 200)
  t.equal(answer.headers['connection'], undefined)
  t.match(stage.upstream.requests, [{ method: 'POST', url: '/x?y=1', body: 'hello' }])
  const [received] = stage.upstream.requests
  t.strictSame(received?.values('x-own'), ['a'])
  t.strictSame(received?.values('cookie'), ['a=1; b=2'], '§8.2.3')
  t.strictSame(received?.values('x-forwarded-proto'), ['https'])
  t.strictSame(received?.values('x-forwarded-host'), [`localhost:${stage.port}`])
  const line = stage.log().find(({ msg }) => msg === 'request')
  t.match(line, { method: 'POST', path: '/x', route: 'all', status: 200, client: /127.0.0.1|::1/ })
})

t.test('HTTP/1.1 goes on beside it', async (t) => {
  const stage = await createTlsStage(t)
  const call = httpsRequest(`${stage.url}/x`, { ca: stage.certificates.ca })
  call.end()
  const [answer] = (await once(call, 'response')) as [{ statusCode: number; httpVersion: string }]
  t.match(answer, { statusCode: 200, httpVersion: '1.1' })
})
