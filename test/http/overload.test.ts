/** More than the gateway can take: what is refused, how, and that it is over when that is. */
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { readMetrics } from '../support/metrics.ts'
import { openRaw, requestText, type RawConnection } from '../support/raw-http.ts'
import { createStage } from '../support/stage.ts'
import { until } from '../support/until.ts'

const PATIENCE_MS = 60_000
const patient = { deadlineMs: PATIENCE_MS }

/** A gateway with one public route. */
function stage(t: Test, server: string, routeKeys = '') {
  return createStage(t, {
    server: `  ${server}`,
    routes: ({ url }) => `- { name: all, path: /*, access: public, upstream: ${url}${routeKeys} }`,
  })
}

async function open(t: Test, port: number): Promise<RawConnection> {
  const connection = await openRaw(port)
  t.teardown(connection.destroy)
  return connection
}

/** Keeps the process from anything else, over and over, until it is told to end. */
function keepBusy(): () => void {
  let isBusy = true
  const work = () => {
    const end = performance.now() + 600
    while (performance.now() < end);
    if (isBusy) setImmediate(work)
  }
  work()
  return () => (isBusy = false)
}

t.test('a process that is late refuses what is new until it has caught up', async (t) => {
  const { port, adminPort, upstream, log } = await stage(t, 'limits: { eventLoopDelay: 400ms }')
  const gauge = async () => (await readMetrics(adminPort)).get('dpop_overloaded')
  t.equal(await gauge(), 0)
  const endWork = keepBusy()
  t.teardown(endWork)
  await until(() => log().some(({ msg }) => /^overloaded/.test(String(msg))), PATIENCE_MS)

  const connection = await open(t, port)
  connection.write(requestText(port, { path: '/x' }))
  const refused = await connection.read(patient)
  t.equal(await gauge(), 1, 'operators get their answers')
  endWork()
  t.match(refused, { status: 503, body: /"code":"overloaded"/ })
  t.match(refused.values('retry-after'), [/^[1-5]$/])
  t.strictSame(upstream.requests, [])

  await until(() => log().some(({ msg }) => msg === 'no longer overloaded'), PATIENCE_MS)
  t.equal(await gauge(), 0)
  const again = await open(t, port)
  again.write(requestText(port, { path: '/x' }))
  t.match(await again.read(patient), { status: 200 })
  const metrics = await readMetrics(adminPort)
  t.equal(metrics.get('dpop_refusals_total{route="none",code="overloaded"}'), 1)
})

t.test('connections that stay idle shut others out no longer than they may be idle', async (t) => {
  const { port, adminPort } = await stage(
    t,
    'limits: { connections: 2 }\n  timeouts: { headers: 3s, keepAlive: 3s }',
  )
  const silent = await open(t, port)
  const idle = await open(t, port)
  idle.write(requestText(port, { path: '/x' }))
  t.match(await idle.read(patient), { status: 200 })
  const third = await open(t, port)
  t.equal(await third.closed(patient), '')

  t.match(await silent.closed(patient), /^HTTP\/1.1 408 /, 'one that never says anything')
  t.equal(await idle.closed(patient), '', 'one that says nothing more')
  const fourth = await open(t, port)
  fourth.write(requestText(port, { path: '/x' }))
  t.match(await fourth.read(patient), { status: 200 })
  const refused = 'dpop_refusals_total{route="none",code="overloaded"}'
  t.equal((await readMetrics(adminPort)).get(refused), 1)
})

const TRICKLES = [
  {
    name: 'its header',
    timeouts: '{ headers: 500ms, request: 20s }',
    begin: 'GET /x HTTP/1.1\r\nHost: a\r\nX-Slow: ',
  },
  {
    name: 'its body',
    timeouts: '{ headers: 500ms, request: 1s }',
    begin: 'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n',
  },
]

for (const { name, timeouts, begin } of TRICKLES) {
  t.test(`a client that sends ${name} byte by byte is given up in time`, async (t) => {
    const { port, upstream } = await stage(t, `timeouts: ${timeouts}`)
    const connection = await open(t, port)
    connection.write(begin)
    const trickle = setInterval(() => {
      connection.write('x')
    }, 50)
    t.teardown(() => {
      clearInterval(trickle)
    })
    t.match(await connection.read(patient), { status: 408, body: /"code":"request_timeout"/ })
    clearInterval(trickle)
    t.equal(await connection.closed(patient), '')
    t.strictSame(upstream.requests, [], 'it never arrives whole')
  })
}

t.test('a client that reads nothing holds nothing upstream', async (t) => {
  const { port, upstream } = await stage(t, 'publicUrl: http://a', ', timeouts: { idle: 500ms }')
  upstream.behave('huge')
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.on('error', () => undefined).pause()
  socket.write(requestText(port, { path: '/x' }))
  await upstream.aborted()
  t.pass('the upstream is let go')
})
