import t from 'tap'
import { createCertificates, type Certificates } from '../support/certificates.ts'
import { freePort, redisMissing, startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { createReadyStore, createStore, refusalOf } from './store.ts'

async function startTlsRedis(
  t: Parameters<typeof startRedis>[0],
  certificates: Certificates,
  names = 'IP:127.0.0.1,DNS:redis.test',
): Promise<string> {
  const { certFile, keyFile } = certificates.issue('server', { names })
  const port = await freePort()
  await startRedis(t, [
    ...['--tls-port', String(port), '--tls-cert-file', certFile, '--tls-key-file', keyFile],
    ...['--tls-ca-cert-file', certificates.caFile],
  ])
  return `rediss://127.0.0.1:${port}`
}

t.test('a client certificate and an authority of its own', { skip: redisMissing }, async (t) => {
  const certificates = createCertificates(t)
  const url = await startTlsRedis(t, certificates)
  const { cert, key } = certificates.issue('gateway')
  const store = await createReadyStore(t, { url, tls: { ca: certificates.ca, cert, key } })
  await until(async () => (await refusalOf(store)) === undefined)
})

t.test('an authority that is not trusted', { skip: redisMissing }, async (t) => {
  const certificates = createCertificates(t)
  const url = await startTlsRedis(t, certificates)
  for (const tls of [undefined, { ca: createCertificates(t).ca }]) {
    const store = createStore(t, { url, tls })
    await until(() => store.events.length > 0)
    t.match(store.status(), { ready: false, reason: /has a certificate that is not trusted/ })
    t.equal(await refusalOf(store), 'not ready')
  }
})

t.test('a certificate for another name', { skip: redisMissing }, async (t) => {
  const certificates = createCertificates(t)
  const url = await startTlsRedis(t, certificates, 'DNS:redis.test')
  const { cert, key } = certificates.issue('gateway')
  const tls = { ca: certificates.ca, cert, key }
  const wrong = createStore(t, { url, tls })
  await until(() => wrong.events.length > 0)
  t.match(wrong.status(), { ready: false, reason: /has a certificate that is not trusted/ })
  await createReadyStore(t, { url, tls: { ...tls, serverName: 'redis.test' } })
})
