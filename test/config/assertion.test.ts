import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createAssertionKey } from '../../src/assertion.ts'
import { loadConfig, parseConfig } from '../../src/config/load.ts'
import { looseSettings } from '../../src/config/loose-settings.ts'
import { runCommand } from '../support/process.ts'

const KEY = JSON.stringify(createAssertionKey())

const yaml = (more = '') => `
server: { publicUrl: https://api.example.com, limits: { eventLoopDelay: none } }
identity: { assertion: { audience: orders } }
${more}
issuers: { main: { issuer: https://as.example.com, audience: api } }
routes:
  - { name: api, path: /api, upstream: http://127.0.0.1 }
  - { name: own, path: /own, upstream: http://127.0.0.1, identity: { assertion: { audience: own, claims: [acr] } } }
  - { name: open, path: /open, upstream: http://127.0.0.1, access: public }
  - { name: token, path: /token, upstream: http://127.0.0.1, access: proof }
`
const parse = (text: string) => parseConfig(text, { file: 'gateway.yaml', env: {} })

t.test(
  'a route has that of all, or its own as a whole, and none where there is no token',
  async (t) => {
    const { routes, server } = parse(yaml())
    const common = { header: 'X-Auth-Assertion', lifetime: 30_000 }
    t.strictSame(
      routes.map(({ identity }) => identity.assertion),
      [
        { ...common, audience: 'orders' },
        { ...common, audience: 'own', claims: ['acr'] },
        undefined,
        undefined,
      ],
    )
    t.equal(server.limits.eventLoopDelay, Infinity)
  },
)

t.test('a key made at start is warned of where it signs', async (t) => {
  const warnings = (text: string) =>
    looseSettings(parse(text)).filter((sentence) => sentence.startsWith('assertion.keys '))
  t.equal(warnings(yaml()).length, 1)
  t.equal(warnings(yaml(`assertion: { keys: [${KEY}] }`)).length, 0)
  t.equal(warnings(yaml().replace(/assertion: \{[^}]*\}/g, '')).length, 0)
})

t.test('--print shows no key, and what it shows loads', async (t) => {
  const folder = t.testdir({
    'gateway.yaml': yaml(`assertion: { keys: [${KEY}] }`),
    'without.yaml': yaml(),
  })
  const withKey = await runCommand(t, ['check', join(folder, 'gateway.yaml'), '--print'])
  t.equal(withKey.code, 0)
  t.notMatch(withKey.stdout, 'PRIVATE KEY')
  t.match(withKey.stdout, /assertion:\n\s+keys:\n\s+- \(redacted\)/)

  const file = join(folder, 'without.yaml')
  const { stdout } = await runCommand(t, ['check', file, '--print'])
  const printed = join(folder, 'printed.yaml')
  writeFileSync(printed, stdout)
  t.strictSame(loadConfig(printed), loadConfig(file))
})
