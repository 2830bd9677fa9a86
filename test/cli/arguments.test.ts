/** What is alike in all commands that read the configuration, and what they say of wrong arguments. */
import { join } from 'node:path'
import t from 'tap'
import { check } from '../../src/cli/check.ts'
import type { Command } from '../../src/cli/command.ts'
import { health } from '../../src/cli/health.ts'
import { schema } from '../../src/cli/schema.ts'
import { start } from '../../src/cli/start.ts'
import { runCommand } from '../support/io.ts'

const SHIPPED = join(import.meta.dirname, '../../gateway.yaml')
const READERS: Readonly<Record<string, Command>> = { start, check, health }
const COMMANDS: Readonly<Record<string, Command>> = { ...READERS, schema }

for (const [name, command] of Object.entries(COMMANDS)) {
  t.test(`${name}: --help and -h`, async (t) => {
    for (const option of ['--help', '-h']) {
      const ended = await runCommand(command, [option])
      t.match(ended, { code: 0, stderr: '' })
      t.ok(ended.stdout.startsWith(`usage: dpop-gateway ${name}`))
    }
  })

  t.test(`${name}: an unknown option is named`, async (t) => {
    t.strictSame(await runCommand(command, ['--foo']), {
      code: 2,
      stdout: '',
      stderr: `dpop-gateway ${name}: Unknown option '--foo'\n`,
    })
  })
}

for (const [name, command] of Object.entries(READERS)) {
  t.test(`${name}: the file by itself or as --config, and every mistake in it`, async (t) => {
    const folder = t.testdir({ 'gateway.yaml': 'sever: {}\nroutes: []\n' })
    const file = join(folder, 'gateway.yaml')
    for (const args of [[file], ['--config', file]]) {
      t.strictSame(await runCommand(command, args), {
        code: 2,
        stdout: '',
        stderr:
          `${file}:1:1 sever: unknown key (did you mean "server"?)\n` +
          `${file}:2:9 routes: the list must not be empty\n` +
          `dpop-gateway ${name}: the configuration has mistakes\n`,
      })
    }
  })

  t.test(`${name}: one file only`, async (t) => {
    const rows = [
      { args: [SHIPPED, 'b'], says: `Unexpected argument 'b'` },
      { args: ['a', '--config', SHIPPED], says: '--config: a is given as the file already' },
      { args: ['--config', 'a', '--config', 'b'], says: '--config: given more than once' },
    ]
    for (const { args, says } of rows) {
      t.strictSame(await runCommand(command, args), {
        code: 2,
        stdout: '',
        stderr: `dpop-gateway ${name}: ${says}\n`,
      })
    }
  })
}

t.test('schema: no arguments', async (t) => {
  const { code, stdout } = await runCommand(schema, [])
  t.equal(code, 0)
  t.match(JSON.parse(stdout), { type: 'object' })
  t.match(await runCommand(schema, ['a']), { code: 2, stdout: '', stderr: /'a'/ })
})

t.test('check: what start could not use is a mistake', async (t) => {
  const text = `
replay: { store: redis, url: 'redis+unix:///run/redis.sock?db=abc' }
routes: [{ name: a, path: /a, access: public, upstream: http://127.0.0.1 }]
`
  const file = join(t.testdir({ 'gateway.yaml': text }), 'gateway.yaml')
  t.match(await runCommand(check, [file]), {
    code: 2,
    stderr: 'replay.url: db must be a database number\n',
  })
})
