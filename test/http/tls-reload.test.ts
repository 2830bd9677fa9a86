/** A certificate is renewed while the gateway runs. */
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import t from 'tap'
import { createTlsServer, renewCertificate } from '../../src/http/tls.ts'
import { closeWithin, listen } from '../../src/http/listener.ts'
import { parseConfig } from '../../src/config/load.ts'
import { certificateNotes } from '../../src/config/certificates.ts'
import { looseSettings } from '../../src/config/loose-settings.ts'
import { printConfig } from '../../src/config/print.ts'
import { createGateway } from '../../src/gateway.ts'
import { createLogger } from '../../src/log.ts'
import { createCertificates } from '../support/certificates.ts'
import { connect, type TLSSocket } from 'node:tls'
import { once } from 'node:events'

t.test('new connections see the new one, and old ones go on', async (t) => {
  const certificates = createCertificates(t)
  const [first, second] = [certificates.issue('first'), certificates.issue('second')]
  const server = createTlsServer(
    {},
    { certificate: first, acceptHttp2: undefined, handshakeTimeoutMs: 5000 },
  )
  server.on('request', (_, response) => response.end('hello'))
  const url = await listen(server, { host: '127.0.0.1', port: 0 })
  t.teardown(() => closeWithin(server, 0))
  const open = async () => {
    const port = Number(new URL(url).port)
    const socket = connect({ port, host: 'localhost', ca: certificates.ca })
    t.teardown(() => socket.destroy())
    await once(socket, 'secureConnect')
    return socket
  }
  const name = (socket: TLSSocket) => socket.getPeerCertificate().subject.CN
  const old = await open()
  t.equal(name(old), 'first')
  renewCertificate(server, second)
  t.equal(name(await open()), 'second')
  old.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  const [answer] = (await once(old, 'data')) as [Buffer]
  t.match(answer.toString(), 'HTTP/1.1 200')
  renewCertificate(createServer(), second) // Nothing to renew.
})

t.test('what is said of certificates, and what is printed', async (t) => {
  const certificates = createCertificates(t)
  certificates.issue('old', { from: '20200101000000Z', to: '20200102000000Z' })
  certificates.issue('young', { from: '20900101000000Z', to: '20910101000000Z' })
  writeFileSync(`${certificates.folder}/unused`, '')
  const load = (name: string) => {
    const yaml = [
      `server: { publicUrl: "https://a.example", tls: { cert: ${name}.crt, key: ./${name}.key } }`,
      'routes: [{ name: a, path: /, access: public, upstream: "http://127.0.0.1:1" }]',
    ].join('\n')
    return parseConfig(yaml, { file: 'gateway.yaml', baseDir: certificates.folder })
  }
  t.match(looseSettings(load('old')), [
    /public/,
    /^server.tls.cert: old.crt has expired, on .*2020/,
  ])
  t.match(certificateNotes(load('young')), [/young.crt is valid from .*2090.* only/])
  const printed = printConfig({ config: load('old'), isSecret: () => false, files: [] })
  t.match(printed, /cert: old.crt\n +key: .\/old.key/)
  t.notMatch(printed, /BEGIN|pem:/)
})

t.test(
  'a reload of the gateway renews it, and a file that does not fit changes nothing',
  async (t) => {
    const certificates = createCertificates(t)
    const { certFile, keyFile } = certificates.issue('gateway')
    const yaml = [
      'server:',
      '  listen: 127.0.0.1:0',
      '  drain: { delay: 0s, timeout: 1s }',
      '  publicUrl: https://a.example',
      `  tls: { cert: ${certFile}, key: ${keyFile} }`,
      'admin: { listen: 127.0.0.1:0 }',
      'routes: [{ name: a, path: /, access: public, upstream: "http://127.0.0.1:1" }]',
    ].join('\n')
    const load = () => parseConfig(yaml, { file: 'gateway.yaml' })
    const logger = createLogger({ level: 'info' }, { write: () => undefined })
    const gateway = createGateway(load(), { logger })
    const { traffic } = await gateway.start()
    t.teardown(() => gateway.stop())
    const serialNumber = async () => {
      const port = Number(new URL(traffic).port)
      const socket = connect({ port, host: 'localhost', ca: certificates.ca })
      await once(socket, 'secureConnect')
      const { serialNumber: found } = socket.getPeerCertificate()
      socket.destroy()
      return found
    }
    const before = await serialNumber()
    certificates.issue('gateway')
    t.equal(await serialNumber(), before, 'not by itself')
    t.equal(await gateway.reload(load), true)
    const after = await serialNumber()
    t.not(after, before)
    writeFileSync(keyFile, 'no key')
    t.equal(await gateway.reload(load), false)
    t.equal(await serialNumber(), after)
  },
)
