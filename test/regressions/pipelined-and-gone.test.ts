/**
 * Node tells only the first of several pipelined answers that their connection is gone. The others
 * kept their places at the upstream for ever, so that a few clients could stop a route, and had no
 * line in the log although the API had carried them out.
 */
import { connect } from 'node:net'
import t from 'tap'
import { openRaw, requestText } from '../support/raw-http.ts'
import { createStage } from '../support/stage.ts'
import { until } from '../support/until.ts'

t.test('each has its line and gives back its place', async (t) => {
  const { port, upstream, log, send } = await createStage(t, {
    routes: ({ url }) => `\
- { name: api, path: /api/*, upstream: ${url} }
- { name: open, path: /open/*, access: public, upstream: ${url} }`,
  })
  upstream.behave('hang')
  const connection = await openRaw(port)
  const paths = ['/open/1', '/open/2', '/open/3']
  connection.write(paths.map((path) => requestText(port, { path })).join(''))
  await until(() => upstream.requests.length === 3)
  connection.reset()
  await upstream.aborted(3)
  await until(() => log().filter(({ status }) => status === 499).length === 3)
  const lines = log().filter(({ status }) => status === 499)
  t.strictSame(lines.map(({ path }) => path).sort(), paths)

  upstream.behave('echo')
  t.match(await send(), { status: 200 })
})

t.test('a client that reads nothing of what it asked for is cut off with all of it', async (t) => {
  const { port, upstream, send } = await createStage(t, {
    routes: ({ url }) => `\
- { name: api, path: /api/*, upstream: ${url} }
- { name: open, path: /open/*, access: public, upstream: ${url}, timeouts: { idle: 300ms } }`,
  })
  upstream.behave('huge')
  const deaf = connect(port, '127.0.0.1').on('error', () => undefined)
  t.teardown(() => deaf.destroy())
  deaf.write(requestText(port, { path: '/open/1' }) + requestText(port, { path: '/open/2' }))
  await upstream.aborted(2)
  upstream.behave('echo')
  t.match(await send(), { status: 200 })
})
