/** What is said at the start of settings that leave a check out. */
import t from 'tap'
import { createStage, type Stage, type StageOptions } from './support/stage.ts'

const WARN = 40

function warnings({ log }: Stage) {
  return log().filter(({ level }) => level === WARN)
}

// prettier-ignore
const LOOSE: readonly { name: string; options: StageOptions; expected: object }[] = [
  { name: 'no publicUrl', options: { server: '' }, expected: { msg: 'server.publicUrl is not set: htu is compared with the Host of the request' } },
  { name: 'everybody is a trusted proxy', options: { server: '  publicUrl: https://api.example.com\n  trustedProxies: [0.0.0.0/0]' }, expected: { msg: 'server.trustedProxies: 0.0.0.0/0 is everybody' } },
  { name: 'a route for one host of a pinned URL', options: { routes: ({ url }) => `- { name: api, host: a.example.com, path: /*, upstream: ${url} }` }, expected: { msg: 'route api is for one host, but htu is compared with server.publicUrl on all' } },
  { name: 'audience: none', options: { issuer: 'audience: none' }, expected: { msg: 'issuers.main: tokens for any audience are accepted' } },
  { name: 'allowHttp', options: { issuer: 'allowHttp: true' }, expected: { msg: 'issuers.main: it may be spoken to over plain http' } },
  { name: 'a public route', options: { routes: ({ url }) => `- { name: open, path: /*, access: public, upstream: ${url} }` }, expected: { msg: 'route open is public: nothing is checked' } },
]

t.test('settings that check all warn of nothing', async (t) => {
  t.strictSame(warnings(await createStage(t)), [])
})

for (const { name, options, expected } of LOOSE) {
  t.test(`a start with ${name} warns once`, async (t) => {
    const lines = warnings(await createStage(t, options))
    t.match(lines, [expected])
    t.equal(lines.length, 1)
  })
}

t.test('a start with onOutage: local warns', async (t) => {
  // There is no Redis on port 1: what is said of that comes besides.
  const settings = "replay: { store: redis, url: 'redis://127.0.0.1:1', onOutage: local }"
  const lines = warnings(await createStage(t, { settings }))
  const msg =
    'replay.onOutage: while Redis is out of reach a proof can be used once at every instance'
  t.equal(lines.filter((line) => line['msg'] === msg).length, 1)
})
