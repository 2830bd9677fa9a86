/** docs/cases.md rows 123, 144, 145, 150: which URL a request was made to. */
import t from 'tap'
import type { Header } from '../support/raw-http.ts'
import { createStage } from '../support/stage.ts'

interface Row {
  readonly name: string
  readonly headers: readonly Header[]
  /** What the proof is for. */
  readonly url: string
  readonly status: number
  readonly code?: string
}

const host = (name: string): Header => ['Host', name]
const proto = (scheme: string): Header => ['X-Forwarded-Proto', scheme]
const forwardedHost = (name: string): Header => ['X-Forwarded-Host', name]
const forwarded = (value: string): Header => ['Forwarded', value]
const passes = { status: 200 }
const elsewhere = { status: 401, code: 'proof_target' }
const misdirected = { status: 421, code: 'origin_unknown' }
const malformed = { status: 400, code: 'header_invalid' }
const url = 'https://a.example/api/x'

// prettier-ignore
const SETUPS: readonly { readonly server: string; readonly rows: readonly Row[] }[] = [
  { server: 'publicUrl: https://a.example', rows: [
    { name: '#144 one URL is pinned', headers: [host('internal:8080')], url, ...passes },
    { name: '#144 the scheme is that of the URL', headers: [host('a.example')], url: 'http://a.example/api/x', ...elsewhere },
    { name: '#145 the client steers nothing', headers: [forwardedHost('b.example'), proto('https')], url: 'https://b.example/api/x', ...elsewhere },
  ] },
  { server: 'publicUrl: https://a.example/prefix', rows: [
    { name: '#147 a prefix that is taken off before', headers: [], url: 'https://a.example/prefix/api/x', ...passes },
    { name: '#147 htu without the prefix', headers: [], url, ...elsewhere },
  ] },
  { server: 'publicUrl: [https://a.example, https://b.example:8443]', rows: [
    { name: '#150 Host picks the first', headers: [host('a.example')], url, ...passes },
    { name: '#123 with its default port', headers: [host('A.example:443')], url, ...passes },
    { name: '#150 Host picks the second', headers: [host('b.example:8443')], url: 'https://b.example:8443/api/x', ...passes },
    { name: '#150 the other one', headers: [host('b.example:8443')], url, ...elsewhere },
    { name: '#150 another port', headers: [host('b.example')], url: 'https://b.example/api/x', ...misdirected },
    { name: '#150 an unknown host', headers: [host('c.example')], url: 'https://c.example/api/x', ...misdirected },
    { name: '#145 X-Forwarded-Host of anybody', headers: [host('c.example'), forwardedHost('a.example')], url, ...misdirected },
  ] },
  { server: 'trustedProxies: []', rows: [
    { name: 'without publicUrl it is the request', headers: [host('a.example:8080')], url: 'http://a.example:8080/api/x', ...passes },
    { name: '#145 X-Forwarded-Proto of anybody', headers: [host('a.example'), proto('https')], url, ...elsewhere },
    { name: '#145 X-Forwarded-Host of anybody', headers: [host('b.example'), forwardedHost('a.example')], url: 'http://a.example/api/x', ...elsewhere },
    { name: '#145 Forwarded of anybody', headers: [host('b.example'), forwarded('host=a.example;proto=https')], url, ...elsewhere },
    { name: '#145 malformed Forwarded of anybody', headers: [host('a.example'), forwarded('proto=ftp')], url: 'http://a.example/api/x', ...passes },
  ] },
  { server: 'trustedProxies: [10.0.0.0/8]', rows: [
    { name: '#145 a peer outside of the trusted networks', headers: [host('a.example'), proto('https')], url, ...elsewhere },
  ] },
  { server: 'trustedProxies: ["::ffff:127.0.0.1"]', rows: [
    { name: '#144 a proxy written as IPv4 in IPv6', headers: [host('a.example'), proto('https')], url, ...passes },
  ] },
  { server: 'trustedProxies: [127.0.0.0/8]', rows: [
    { name: '#144 X-Forwarded-Proto of a trusted proxy', headers: [host('a.example'), proto('https')], url, ...passes },
    { name: '#144 X-Forwarded-Host of a trusted proxy', headers: [host('b'), forwardedHost('a.example'), proto('HTTPS')], url, ...passes },
    { name: '#144 Forwarded of a trusted proxy', headers: [host('b'), forwarded('for=1.2.3.4;Host="a.example";proto=https')], url, ...passes },
    { name: '#144 both, agreeing', headers: [host('b'), forwarded('host=a.example;proto=https'), forwardedHost('a.example'), proto('https')], url, ...passes },
    { name: '#144 both, at odds about the host', headers: [forwarded('host=a.example;proto=https'), forwardedHost('b.example')], url, ...malformed },
    { name: '#144 both, at odds about the scheme', headers: [forwarded('proto=https'), proto('http')], url, ...malformed },
    { name: '#145 of a list only the last is of the proxy', headers: [host('b'), forwardedHost('evil, a.example'), proto('http, https')], url, ...passes },
    { name: '#145 of several lines only the last', headers: [host('b'), forwarded('host=evil;proto=http'), forwarded('host=a.example;proto=https')], url, ...passes },
    { name: '#145 only X-Forwarded-* is written, Forwarded is the client’s', headers: [host('b.example'), forwarded('host=a.example;proto=https'), ['X-Forwarded-For', '1.2.3.4']], url, ...elsewhere },
    { name: '#144 a WebSocket behind TLS', headers: [host('a.example'), proto('wss')], url, ...passes },
    { name: '#144 a WebSocket', headers: [host('a.example'), proto('ws')], url: 'http://a.example/api/x', ...passes },
    { name: '#144 X-Forwarded-Prefix is nobody’s', headers: [host('a.example'), proto('https'), ['X-Forwarded-Prefix', '/evil']], url, ...passes },
    { name: '#145 a quote that a client has left open', headers: [host('b'), forwarded('host=evil;x=", host="a.example";proto=https')], url, ...malformed },
    { name: '#144 a scheme that is none', headers: [proto('ftp')], url, ...malformed },
    { name: '#144 a host that is none', headers: [forwardedHost('me@a.example')], url, status: 400, code: 'host_invalid' },
  ] },
]

for (const { server, rows } of SETUPS) {
  t.test(server, async (t) => {
    const { send } = await createStage(t, { server: `  ${server}` })
    for (const { name, headers, url, status, code } of rows) {
      const answer = await send({ path: '/api/x', proof: { url }, headers })
      t.match({ status: answer.status, code: answer.code }, { status, code }, name)
      const [close] = answer.values('connection')
      t.equal(close, status === 400 ? 'close' : 'keep-alive', `${name}: connection`)
    }
  })
}
