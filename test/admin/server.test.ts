/** What an operator asks: is it alive, is it ready and why not. */
import t from 'tap'
import { closedUrl } from '../support/raw-upstream.ts'
import { createStage } from '../support/stage.ts'

async function get(adminPort: number, path: string) {
  const response = await fetch(`http://127.0.0.1:${adminPort}${path}`)
  return { status: response.status, headers: response.headers, body: await response.json() }
}

t.test('a gateway that is ready', async (t) => {
  const { adminPort } = await createStage(t)
  const components = {
    gateway: { ready: true },
    replayStore: { ready: true },
    'issuer main': { ready: true },
  }
  const readiness = await get(adminPort, '/readyz')
  t.equal(readiness.status, 200)
  t.strictSame(readiness.body, { status: 'ready', components })
  t.match(await get(adminPort, '/healthz?verbose'), { status: 200, body: { status: 'ok' } })
})

t.test('a path that is none', async (t) => {
  const { adminPort, port } = await createStage(t)
  const { status, body, headers } = await get(adminPort, '/readyz/')
  t.equal(status, 404)
  t.strictSame(body, { error: 'not found', paths: ['/healthz', '/readyz', '/metrics', '/jwks'] })
  t.equal(headers.get('content-type'), 'application/json')
  t.equal(headers.get('cache-control'), 'no-store')
  for (const path of ['/healthz', '/readyz', '/metrics']) {
    const { status } = await fetch(`http://127.0.0.1:${port}${path}`)
    t.equal(status, 404, `${path} is not on the port of the traffic`)
  }
})

t.test('a gateway that drains is alive, not ready, and still serves', async (t) => {
  const { adminPort, stop, send } = await createStage(t, {
    drain: '{ delay: 1s, timeout: 1s }',
  })
  const stopped = stop()
  const { status, body } = await get(adminPort, '/readyz')
  t.equal(status, 503)
  t.match(body, {
    status: 'not ready',
    components: { gateway: { ready: false, reason: 'draining' }, replayStore: { ready: true } },
  })
  t.match(await get(adminPort, '/healthz'), { status: 200 })
  t.match(await send(), { status: 200 })
  await stopped
})

t.test('an issuer that is down is named, with the reason', async (t) => {
  const { adminPort } = await createStage(t, {
    moreIssuers: `other: { issuer: '${await closedUrl()}', audience: api }`,
    awaitReady: false,
  })
  const { status, body } = await get(adminPort, '/readyz')
  t.equal(status, 503)
  t.match(body, { components: { 'issuer other': { ready: false, reason: /\w/ } } })
  t.match(await get(adminPort, '/healthz'), { status: 200 }, 'no reason to be restarted')
})
