/** TLS on the listener: certificate, handshake, and which version of HTTP a connection speaks. */
import { createServer, Server, type ServerOptions as HttpsOptions } from 'node:https'
import type { Server as HttpServer } from 'node:http'
import type { TLSSocket } from 'node:tls'

/** PEM. */
export interface Certificate {
  /** With the certificates of the authorities between, if any. */
  readonly cert: string
  readonly key: string
}

export interface TlsOptions {
  readonly certificate: Certificate
  /** Takes the connections of clients that ask for HTTP/2. Left out: none may. */
  readonly acceptHttp2: ((socket: TLSSocket) => void) | undefined
  readonly handshakeTimeoutMs: number
}

const MINIMUM = { minVersion: 'TLSv1.2' } as const

export function createTlsServer(
  http: HttpsOptions,
  { certificate, acceptHttp2, handshakeTimeoutMs }: TlsOptions,
): Server {
  const server = createServer({
    ...http,
    ...certificate,
    ...MINIMUM,
    handshakeTimeout: handshakeTimeoutMs,
    ALPNProtocols: acceptHttp2 ? ['h2', 'http/1.1'] : ['http/1.1'],
  })
  // Node would have these answered as HTTP, on a connection that does not get as far.
  server.removeAllListeners('tlsClientError')
  server.on('tlsClientError', (_, socket) => socket.destroy())
  if (acceptHttp2) divide(server, acceptHttp2)
  return server
}

/**
 * Node's own server of both versions ignores what is set for HTTP/1.1, such as the size of a header:
 * so this one stays the server of HTTP/1.1, and hands on what is none.
 */
function divide(server: Server, acceptHttp2: (socket: TLSSocket) => void): void {
  const acceptHttp1 = server.listeners('secureConnection')
  server.removeAllListeners('secureConnection')
  server.on('secureConnection', (socket) => {
    if (socket.alpnProtocol === 'h2') acceptHttp2(socket)
    else for (const accept of acceptHttp1) Reflect.apply(accept, server, [socket])
  })
}

/** New connections see it from now on; those that are open go on as they are. */
export function renewCertificate(server: HttpServer, certificate: Certificate): void {
  if (server instanceof Server) server.setSecureContext({ ...certificate, ...MINIMUM })
}
