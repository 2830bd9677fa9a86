import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { check } from '../../src/cli/check.ts'
import { loadConfig } from '../../src/config/load.ts'
import { runCommand } from '../support/io.ts'

const SHIPPED = join(import.meta.dirname, '../../gateway.yaml')

const run = (args: readonly string[]) => runCommand(check, args)

t.test('a file that is right', async (t) => {
  t.strictSame(await run([SHIPPED]), {
    code: 0,
    stdout: `${SHIPPED}: ok (3 routes, 1 issuer)\n  note: route status is public: nothing is checked\n`,
    stderr: '',
  })
})

t.test('a file that is wrong: every problem, one a line', async (t) => {
  const file = join(t.testdir({ 'gateway.yaml': 'sever: {}\nroutes: []\n' }), 'gateway.yaml')
  t.strictSame(await run([file]), {
    code: 2,
    stdout: '',
    stderr:
      `${file}:1:1 sever: unknown key (did you mean "server"?)\n` +
      `${file}:2:9 routes: the list must not be empty\n` +
      'dpop-gateway check: the configuration has mistakes\n',
  })
})

t.test('what --print shows loads as the same configuration', async (t) => {
  const prefix = "replay:\n  keyPrefix: 'a$${b}'\n"
  const text = readFileSync(SHIPPED, 'utf8').replace('replay:\n', () => prefix)
  const folder = t.testdir({ 'gateway.yaml': text })
  const file = join(folder, 'gateway.yaml')
  const { code, stdout } = await run([file, '--print'])
  t.equal(code, 0)
  const printed = join(folder, 'printed.yaml')
  writeFileSync(printed, stdout)
  t.equal(loadConfig(file).replay.keyPrefix, 'a${b}')
  t.strictSame(loadConfig(printed), loadConfig(file))
})

t.test('--print shows no secret', async (t) => {
  const text = `
replay: { url: 'redis://me:hunter2@redis', keyPrefix: 'p-\${file:secret}' }
identity: { headers: { X-User: '\${file:secret}' } }
issuers:
  main: { issuer: https://as.example.com, audience: &audience ['\${file:secret}'] }
  other: { issuer: https://other.example.com, audience: *audience }
routes: [{ name: orders, path: /orders, upstream: http://127.0.0.1 }]
`
  const folder = t.testdir({ secret: 'hunter3\n', 'gateway.yaml': text })
  const { code, stdout } = await run([join(folder, 'gateway.yaml'), '--print'])
  t.equal(code, 0)
  t.notMatch(stdout, /hunter/)
  t.match(stdout, 'redis://me:redacted@redis')
  t.equal(stdout.split('(redacted)').length - 1, 5, 'prefix, two audiences, header and its copy')
})

t.test('--print shows no secret of nonces, however it came in', async (t) => {
  const text = `
dpop: { nonce: required }
nonce: { secrets: [hunter2-hunter2-hunter2-hunter2-hunter2, '\${file:secret}'] }
replay: { store: redis, url: redis://localhost }
issuers: { main: { issuer: https://as.example.com, audience: api } }
routes: [{ name: orders, path: /orders, upstream: http://127.0.0.1 }]
`
  const secret = 'hunter3-hunter3-hunter3-hunter3-hunter3\n'
  const folder = t.testdir({ secret, 'gateway.yaml': text })
  const { code, stdout, stderr } = await run([join(folder, 'gateway.yaml'), '--print'])
  t.equal(code, 0)
  t.notMatch(stdout + stderr, /hunter/)
  t.match(stdout, 'nonce:\n  secrets:\n    - (redacted)\n    - (redacted)\n  lifetime: 5m\n')
})

t.test('a secret of nonces that is too short is not repeated', async (t) => {
  const text = 'nonce: { secrets: [hunter2] }\nroutes: [{ name: a, path: /, upstream: http://h }]\n'
  const file = join(t.testdir({ 'gateway.yaml': text }), 'gateway.yaml')
  const { code, stdout, stderr } = await run([file])
  t.equal(code, 2)
  t.match(stderr, 'nonce.secrets[0]: must have at least 32 characters')
  t.notMatch(stdout + stderr, /hunter/)
})
