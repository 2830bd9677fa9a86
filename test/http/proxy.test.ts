/** A bug of the gateway itself: it is answered and logged, and the next request is served. */
import t, { type Test } from 'tap'
import { createMetrics } from '../../src/admin/metrics.ts'
import type { Gate } from '../../src/gate.ts'
import { closeWithin, listen } from '../../src/http/listener.ts'
import { createPublicOrigin } from '../../src/http/origin.ts'
import { createProxy } from '../../src/http/proxy.ts'
import { createRoutes } from '../../src/http/routes.ts'
import { createTrafficServer } from '../../src/http/server.ts'
import { createPools } from '../../src/http/upstreams.ts'
import { createLogger } from '../../src/log.ts'
import { createRecorder } from '../../src/compose/recorder.ts'
import { PLAIN_ROUTE } from './plain-route.ts'
import { openRaw, requestText } from '../support/raw-http.ts'
import { startUpstream } from '../support/upstream.ts'
import { until } from '../support/until.ts'

/** Serves `/bug` with this gate, and everything else as it is. */
async function serve(t: Test, gate: Gate) {
  const upstream = await startUpstream(t)
  const pools = createPools()
  t.teardown(pools.destroy)
  const route = { ...PLAIN_ROUTE, upstreams: pools.group([upstream.url], 1000) }
  const lines: string[] = []
  const logger = createLogger({ level: 'info' }, { write: (line) => void lines.push(line) })
  const metrics = createMetrics({
    isReplayStoreReady: () => true,
    isOverloaded: () => false,
    openWebSockets: () => 0,
    lostLogLines: () => 0,
    issuers: () => [],
  })
  const recorder = createRecorder(metrics, logger, true)
  const proxy = createProxy({
    routes: createRoutes([
      { ...route, name: 'bug', path: '/bug', gate },
      { ...route, name: 'rest', path: '/*', gate: undefined },
    ]),
    publicOrigin: createPublicOrigin(undefined),
    findMetadata: () => undefined,
    rules: { isTrusted: () => false, maxHeaderCount: 100 },
    identityNames: new Set(),
    maxBodyBytes: Infinity,
    recorder,
    isOverloaded: () => false,
  })
  const server = createTrafficServer(proxy, {
    limits: { headerBytes: 16_384, headerCount: 100, connections: 10, pipelined: 2 },
    timeouts: { headers: 5000, request: 5000, keepAlive: 5000 },
    onMalformed: recorder.malformed,
    isDraining: () => false,
  })
  const { port } = new URL(await listen(server, { host: '127.0.0.1', port: 0 }))
  t.teardown(() => closeWithin(server, 0))
  return {
    port: Number(port),
    metrics,
    upstream,
    log: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>),
  }
}

const FAILS = {
  rejects: () => Promise.reject(new Error('secret of the house')),
  throws: () => {
    throw new Error('secret of the house')
  },
}

for (const [name, admit] of Object.entries(FAILS)) {
  t.test(`a gate that ${name} is a 500, and the process lives on`, async (t) => {
    const { port, log, metrics, upstream } = await serve(t, { admit })
    const connection = await openRaw(port)
    connection.write(requestText(port, { path: '/bug?x', body: 'body', method: 'POST' }))
    const answer = await connection.read()
    t.equal(await connection.closed(), '', 'the connection ends')

    const { requestId, ...body } = JSON.parse(answer.body) as Record<string, unknown>
    t.equal(answer.status, 500)
    t.strictSame(body, { error_description: 'The gateway failed', code: 'internal_error' })
    t.strictSame(answer.values('connection'), ['close'])
    t.strictSame(answer.values('cache-control'), ['no-store'])
    t.strictSame(answer.values('www-authenticate'), [])
    t.notMatch(answer.raw, 'secret of the house')
    t.strictSame(upstream.requests, [], 'nothing went on')

    await until(() => log().length === 2)
    t.match(log(), [
      {
        level: 50,
        msg: 'a request met a bug',
        requestId,
        err: { message: 'secret of the house', stack: /proxy\.test/ },
      },
      { level: 40, msg: 'request', requestId, status: 500, route: 'bug', path: '/bug' },
    ])
    t.match(await metrics.render(), /http_response_status_code="500",http_route="bug"/)

    const next = await openRaw(port)
    next.write(requestText(port, { path: '/x' }))
    t.match(await next.read(), { status: 200 })
    next.destroy()
  })
}
