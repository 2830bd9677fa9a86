/** The certificates of a configuration: the one to show, and those that are past their time. */
import { readCertificates } from './pem.ts'
import type { Config } from './schema.ts'

/** Certificate and key of the listener, in PEM; undefined where it has none. */
export function certificateOf({ server: { tls }, pem }: Config) {
  return tls && { cert: pem.get(tls.cert) ?? '', key: pem.get(tls.key) ?? '' }
}

/** What `replay.tls` names, in PEM; undefined where there is no TLS to Redis. */
export function redisTlsOf({ replay: { tls }, pem }: Config) {
  if (!tls) return undefined
  const read = (path: string | undefined) => (path === undefined ? undefined : pem.get(path))
  const { ca, cert, key, serverName } = tls
  return { ca: read(ca), cert: read(cert), key: read(key), serverName }
}

/** Sentences. `now` is in milliseconds. */
export function certificateNotes(
  { server, replay, routes, pem }: Config,
  now = Date.now(),
): string[] {
  const named = [
    { key: 'server.tls.cert', path: server.tls?.cert },
    { key: 'replay.tls.ca', path: replay.tls?.ca },
    { key: 'replay.tls.cert', path: replay.tls?.cert },
    ...routes.map(({ name, upstreamTls }) => {
      return { key: `route ${name}: upstreamTls.ca`, path: upstreamTls?.ca }
    }),
  ]
  return named.flatMap(({ key, path }) =>
    (path === undefined ? [] : readCertificates(pem.get(path) ?? '')).flatMap(
      ({ validFrom, validTo }) => {
        if (Date.parse(validTo) < now) return [`${key}: ${path} has expired, on ${validTo}`]
        if (Date.parse(validFrom) > now) return [`${key}: ${path} is valid from ${validFrom} only`]
        return []
      },
    ),
  )
}
