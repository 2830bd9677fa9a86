import { readFileSync } from 'node:fs'
import t from 'tap'
import { choosePort } from '../../demo/listen.ts'
import { runCommand, startGateway } from '../support/process.ts'
import { until } from '../support/until.ts'
import { createCast } from './cast.ts'

const repository = new URL('../..', import.meta.url)

t.test('a configuration with mistakes: exit 2, and every one of them', async (t) => {
  const directory = t.testdir({
    'gateway.yaml': 'server: { listem: 1 }\nroutes:\n  - { name: a, path: b, upstream: c }\n',
  })
  const path = `${directory}/gateway.yaml`
  const { code, stdout, stderr } = await runCommand(t, ['start', '--config', path])
  t.equal(code, 2)
  t.equal(stdout, '')
  const lines = stderr.trimEnd().split('\n')
  t.match(lines, [
    `${path}:1:1 issuers: `,
    `${path}:1:11 server.listem: unknown key (did you mean "listen"?)`,
    `${path}:3:22 routes[0].path: `,
    `${path}:3:35 routes[0].upstream: `,
    'dpop-gateway start: the configuration has mistakes',
  ])
  t.equal(lines.length, 5)
})

t.test('no configuration: exit 2, and one line says so', async (t) => {
  const { code, stderr } = await runCommand(t, ['start', '--config', '/nowhere/gateway.yaml'])
  t.equal(code, 2)
  t.match(stderr, /^\/nowhere\/gateway.yaml:1:1 .*cannot read the file: /)
})

t.test('a port in use: one clear line', async (t) => {
  const taken = await createCast(t)
  const { traffic } = await startGateway(t, taken.config)
  const { port } = new URL(traffic)
  const cast = await createCast(t, { listen: `127.0.0.1:${port}` })
  const { code, stderr } = await runCommand(t, ['start', '--config', cast.config])
  t.equal(code, 2)
  t.match(stderr, new RegExp(`^dpop-gateway start: .*EADDRINUSE.*127\\.0\\.0\\.1:${port}\n$`))
})

t.test('health: 0 where the gateway is ready, else not', async (t) => {
  const adminListen = `127.0.0.1:${await choosePort(0)}`
  const cast = await createCast(t, { adminListen, drain: '{ delay: 1m, timeout: 1m }' })
  const health = () => runCommand(t, ['health', '--config', cast.config])
  const before = await health()
  t.equal(before.code, 2)
  t.match(before.stderr, /^dpop-gateway health: .*ECONNREFUSED.*\n$/)

  const gateway = await startGateway(t, cast.config)
  await gateway.untilReady()
  t.match(await health(), { code: 0, stdout: /"status":"ready"/, stderr: /^$/ })

  gateway.signal('SIGTERM')
  await until(async () => (await gateway.readiness()).status === 503)
  t.match(await health(), { code: 2, stdout: /"draining"/, stderr: 'not ready\n' })
})

t.test('what is no command', async (t) => {
  const manifest = JSON.parse(readFileSync(new URL('package.json', repository), 'utf8')) as {
    readonly version: string
  }
  const usage = { code: 0, stdout: /^usage: /, stderr: /^$/ }
  const misuse = { code: 2, stdout: /^$/, stderr: /^usage: / }
  const rows = [
    { args: ['--version'], expected: { code: 0, stdout: `${manifest.version}\n` } },
    { args: ['--help'], expected: usage },
    { args: ['start', '--help'], expected: usage },
    { args: [], expected: misuse },
    { args: ['strat'], expected: misuse },
    { args: ['constructor'], expected: misuse },
  ]
  const ended = await Promise.all(rows.map(({ args }) => runCommand(t, args)))
  for (const [at, { args, expected }] of rows.entries()) {
    t.match(ended[at], expected, args.join(' '))
  }
})
