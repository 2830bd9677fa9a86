/** failures.md, Lifecycle: stopping breaks off nothing that is under way. */
import { once } from 'node:events'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { openRaw, requestText } from '../support/raw-http.ts'
import { createStage, type Stage } from '../support/stage.ts'

/** A gateway with a request under way, and the connection it came on. */
async function stageUnderWay(t: Test, drain: string) {
  const routes = ({ url }: { readonly url: string }) =>
    `- { name: all, path: /*, access: public, upstream: ${url} }`
  const stage = await createStage(t, { drain, routes })
  stage.upstream.behave('slow')
  const connection = await openRaw(stage.port)
  connection.write(requestText(stage.port, { path: '/x' }))
  await once(stage.upstream.server, 'request')
  return { ...stage, connection }
}

async function readiness({ adminPort }: Stage) {
  const response = await fetch(`http://127.0.0.1:${adminPort}/readyz`)
  return { status: response.status, body: await response.text() }
}

async function isOpen({ port }: Stage): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' })
  const connected = once(socket, 'connect').then(
    () => true,
    () => false,
  )
  return connected.finally(() => socket.destroy())
}

t.test('what is under way is finished, and then its connection ends', async (t) => {
  const stage = await stageUnderWay(t, '{ delay: 0s, timeout: 1m }')
  const idle = await openRaw(stage.port)
  const stopped = stage.stop()
  t.match(await readiness(stage), { status: 503, body: /draining/ }, 'not ready at once')
  t.match(await stage.connection.read(), { status: 200, body: 'x'.repeat(10), complete: true })
  t.equal(await stage.connection.closed(), '')
  t.equal(await idle.closed(), '', 'an idle connection ends as well')
  await stopped
  t.notOk(await isOpen(stage))
})

t.test('for the delay requests are still taken, the last of their connections', async (t) => {
  const stage = await stageUnderWay(t, '{ delay: 500ms, timeout: 1m }')
  const early = await openRaw(stage.port)
  stage.upstream.behave('echo')
  const stopped = stage.stop()
  t.match(await readiness(stage), { status: 503 })
  const late = await openRaw(stage.port)
  for (const connection of [early, late]) {
    connection.write(requestText(stage.port, { path: '/y' }))
    const answer = await connection.read()
    t.equal(answer.status, 200)
    t.strictSame(answer.values('connection'), ['close'])
    t.equal(await connection.closed(), '')
  }
  t.match(await stage.connection.read(), { status: 200, complete: true })
  await stopped
})

t.test('what takes longer than the timeout is broken off', async (t) => {
  const stage = await stageUnderWay(t, '{ delay: 0s, timeout: 100ms }')
  await stage.stop()
  t.match(await stage.connection.read(), { status: 200, complete: false })
  await stage.upstream.aborted()
})

t.test('what is refused before it is a request holds nothing up', async (t) => {
  const stage = await stageUnderWay(t, '{ delay: 0s, timeout: 1m }')
  for (const bytes of ['CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n', 'garbage\r\n\r\n']) {
    // Clients that never close their half, nor read on.
    const socket = connect({ port: stage.port, host: '127.0.0.1', allowHalfOpen: true })
    socket.on('error', () => undefined).write(bytes)
    await once(socket, 'data')
    t.teardown(() => socket.destroy())
  }
  await stage.stop()
  t.notOk(await isOpen(stage))
})
