/** TLS to upstreams: their certificates are always verified, by the authorities of the route. */
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import t, { type Test } from 'tap'
import { createCertificates, type IssuedCertificate } from '../support/certificates.ts'
import { request } from '../support/raw-http.ts'
import { createStage } from '../support/stage.ts'

async function startTlsUpstream(t: Test, { cert, key }: IssuedCertificate) {
  const sockets: TLSSocket[] = []
  const server = createServer({ cert, key }, (_, response) => response.end('hello'))
  server.on('secureConnection', (socket) => sockets.push(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `https://localhost:${(server.address() as AddressInfo).port}`, sockets }
}

const WRONG = [
  { name: 'of an authority nobody knows', tls: '', reason: 'SELF_SIGNED_CERT_IN_CHAIN' },
  { name: 'of another authority', tls: 'other', reason: 'SELF_SIGNED_CERT_IN_CHAIN' },
  { name: 'that has expired', to: '20200102000000Z', reason: 'CERT_HAS_EXPIRED' },
  { name: 'for another name', names: 'DNS:a.example', reason: 'ERR_TLS_CERT_ALTNAME_INVALID' },
]

for (const { name, tls = 'own', names, to, reason } of WRONG) {
  t.test(`a certificate ${name} is 502, with the reason in the log`, async (t) => {
    const [own, other] = [createCertificates(t), createCertificates(t)]
    const issued = own.issue('upstream', {
      ...(names !== undefined && { names }),
      ...(to !== undefined && { from: '20200101000000Z', to }),
    })
    const upstream = await startTlsUpstream(t, issued)
    const { caFile } = tls === 'other' ? other : own
    const stage = await createStage(t, {
      routes: () =>
        `- { name: all, path: /*, access: public, upstream: ${upstream.url}` +
        `${tls === '' ? '' : `, upstreamTls: { ca: ${caFile} }`} }`,
    })
    const refused = await request(stage.port, { path: '/x' })
    t.match(refused, { status: 502, body: /"code":"upstream_unreachable"/ })
    t.notMatch(refused.body, reason)
    const line = stage.log().find(({ msg }) => msg === 'request')
    t.match(line, { code: 'upstream_unreachable', detail: reason })
  })
}

t.test('a certificate that fits, also by a name of its own', async (t) => {
  const certificates = createCertificates(t)
  const upstream = await startTlsUpstream(
    t,
    certificates.issue('upstream', { names: 'DNS:api.internal' }),
  )
  const other = createCertificates(t)
  const route = (name: string, tls: string) =>
    `- { name: ${name}, path: /${name}, access: public, upstream: ${upstream.url}, upstreamTls: ${tls} }`
  const stage = await createStage(t, {
    routes: () =>
      [
        route('named', `{ ca: ${certificates.caFile}, serverName: api.internal }`),
        route('unnamed', `{ ca: ${certificates.caFile} }`),
        route('other', `{ ca: ${other.caFile}, serverName: api.internal }`),
      ].join('\n'),
  })
  t.match(await request(stage.port, { path: '/named' }), { status: 200, body: 'hello' })
  t.match(await request(stage.port, { path: '/unnamed' }), { status: 502 })
  t.match(await request(stage.port, { path: '/other' }), { status: 502 }, 'no connection is shared')
  t.match(await request(stage.port, { path: '/named' }), { status: 200 })
  t.match(upstream.sockets[0], { servername: 'api.internal' })
})
