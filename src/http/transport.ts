/** Node's server for HTTP/1.1: plain, or over TLS with HTTP/2 beside it. */
import { createServer, type Server, type ServerOptions as HttpOptions } from 'node:http'
import { createHttp2 } from './http2.ts'
import { onDrain } from './listener.ts'
import type { Proxy } from './proxy.ts'
import type { ServerOptions } from './server-options.ts'
import { createTlsServer } from './tls.ts'

/** What comes by HTTP/2 goes to the proxy right away, all else to the listeners of the server. */
export function createTransport(proxy: Proxy, options: ServerOptions, http: HttpOptions): Server {
  const { certificate, timeouts } = options
  if (!certificate) return createServer(http)
  const http2 = options.http2 ? createHttp2(proxy, options) : undefined
  const server = createTlsServer(http, {
    certificate,
    acceptHttp2: http2?.accept,
    handshakeTimeoutMs: timeouts.headers,
  })
  if (http2) onDrain(server, http2.drain)
  return server
}
