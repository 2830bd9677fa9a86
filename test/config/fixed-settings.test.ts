/** Every key that is read at start alone, and those beside them that a reload may change. */
import t from 'tap'
import { requireSameProcess } from '../../src/config/fixed-settings.ts'
import { parseConfig } from '../../src/config/load.ts'
import { createCertificates } from '../support/certificates.ts'

const { issue } = createCertificates(t)
const tlsOf = ({ certFile, keyFile }: ReturnType<typeof issue>) =>
  `tls: { cert: '${certFile}', key: '${keyFile}' }`
const [TLS, OTHER_TLS] = [tlsOf(issue('one')), tlsOf(issue('other'))]

const REST = `
issuers: { main: { issuer: https://as.example.com, audience: one } }
routes: [{ name: a, path: /a, upstream: 'http://127.0.0.1:3000' }]
`
const redis = (more = '') => `replay: { store: redis, url: 'redis://127.0.0.1:6379'${more} }`

/** The key that the refusal names, and the YAML before and after. */
const FIXED: readonly (readonly [key: string, before: string, after: string])[] = [
  ['server.listen', '', 'server: { listen: 127.0.0.1:1 }'],
  ['server.tls', '', `server: { ${TLS} }`],
  ['server.tls', `server: { ${TLS} }`, ''],
  ['server.http2', `server: { ${TLS} }`, `server: { ${TLS}, http2: true }`],
  ['server.limits.headerBytes', '', 'server: { limits: { headerBytes: 32KiB } }'],
  ['server.limits.headerCount', '', 'server: { limits: { headerCount: 50 } }'],
  ['server.limits.connections', '', 'server: { limits: { connections: 7 } }'],
  ['server.limits.pipelined', '', 'server: { limits: { pipelined: 7 } }'],
  ['server.limits.eventLoopDelay', '', 'server: { limits: { eventLoopDelay: none } }'],
  ['server.timeouts', '', 'server: { timeouts: { headers: 7s } }'],
  ['server.timeouts', '', 'server: { timeouts: { request: 7s } }'],
  ['server.timeouts', '', 'server: { timeouts: { keepAlive: 7s } }'],
  ['server.workers', redis(), `server: { workers: 2 }\n${redis()}`],
  ['server.watch', '', 'server: { watch: true }'],
  ['admin', '', 'admin: { listen: 127.0.0.1:1 }'],
  ['log', '', 'log: { level: debug }'],
  ['log', '', 'log: { accessLog: false }'],
  ['replay', '', redis()],
  ['replay', '', 'replay: { maxEntries: 7 }'],
  ['replay', '', "replay: { keyPrefix: 'other:' }"],
  ['replay', redis(), redis(', onOutage: local')],
]

const CHANGEABLE: readonly (readonly [before: string, after: string])[] = [
  ['server: { limits: { bodyBytes: 1MiB } }', ''],
  ['', 'server: { limits: { tokenBytes: 4KiB } }'],
  ['', 'server: { limits: { proofBytes: 4KiB } }'],
  ['', 'server: { drain: { delay: 1s, timeout: 1s } }'],
  ['', 'server: { publicUrl: https://api.example.com }'],
  ['', 'server: { trustedProxies: [10.0.0.0/8] }'],
  [`server: { ${TLS} }`, `server: { ${OTHER_TLS} }`],
  ['', 'dpop: { maxAge: 10s }'],
  ['', 'nonce: { lifetime: 1m }'],
  ['', 'identity: { token: keep }'],
]

const parse = (yaml: string) =>
  parseConfig(`${yaml}\n${REST}`, { file: 'gateway.yaml', env: {}, baseDir: import.meta.dirname })

for (const [key, before, after] of FIXED) {
  t.test(`${key}: ${before} becomes ${after}`, async (t) => {
    t.throws(
      () => {
        requireSameProcess(parse(before), parse(after))
      },
      { message: `${key}: read at start alone, so restart, or take the change back` },
    )
  })
}

for (const [before, after] of CHANGEABLE) {
  t.test(`${before} may become ${after}`, async (t) => {
    requireSameProcess(parse(before), parse(after))
    t.notSame(parse(before), parse(after))
  })
}

t.test('all that have changed are named', async (t) => {
  const after = 'log: { level: debug }\nreplay: { maxEntries: 7 }\ndpop: { maxAge: 10s }'
  t.throws(() => {
    requireSameProcess(parse(''), parse(after))
  }, /^log, replay: /)
})
