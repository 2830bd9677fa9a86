/** The keys of a migration, of token endpoints and of step-up: what is printed and what is noted. */
import t from 'tap'
import { looseSettings } from '../../src/config/loose-settings.ts'
import { loadFile, parseConfig } from '../../src/config/load.ts'
import { printConfig } from '../../src/config/print.ts'

const source = { file: 'gateway.yaml', env: {} }

const TEXT = `
server: { publicUrl: https://api.example.com }
issuers: { main: { issuer: https://as.example.com, audience: api } }
routes:
  - name: mixed
    path: /mixed
    upstream: http://127.0.0.1
    access: dpop-or-bearer
    observe: true
    debug: true
    scopes: [admin]
    claims: { tenant: [acme, 1, true] }
    acr: ["urn:example:mfa", phr]
    maxAuthAge: 90s
    dpop: { nonce: required }
    identity: { token: keep }
  - name: token
    path: /token
    upstream: http://127.0.0.1
    access: proof
    observe: true
    debug: true
    dpop: { nonce: required, maxAge: 5s }
  - { name: observed, path: /observed, upstream: http://127.0.0.1, observe: true }
  - { name: plain, path: /plain, upstream: http://127.0.0.1 }
  - { name: open, path: /open, upstream: http://127.0.0.1, access: public }
`

t.test('what is printed loads as the same configuration', async (t) => {
  const file = `${t.testdir({ 'gateway.yaml': TEXT })}/gateway.yaml`
  const printed = printConfig(loadFile(file, {}))
  t.strictSame(parseConfig(printed, source), parseConfig(TEXT, source))
  t.match(printed, 'maxAuthAge: 90s')
})

t.test('what it loosens is noted', async (t) => {
  t.strictSame(looseSettings(parseConfig(TEXT, source)), [
    'route mixed takes bearer tokens: whoever holds an unbound one can use it',
    'route mixed only observes: NOTHING IS REFUSED',
    'route mixed says in its refusals what was expected (debug)',
    'route token asks for no token: whoever makes a key of their own can use it',
    'route token only observes: NOTHING IS REFUSED',
    'route token says in its refusals what was expected (debug)',
    'route observed only observes: NOTHING IS REFUSED',
    'route observed observes, but its API sees no token (identity.token: drop)',
    'route open is public: nothing is checked',
  ])
})
