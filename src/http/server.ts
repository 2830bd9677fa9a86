/**
 * The listener of the traffic. What Node answers by itself, or lets through, is answered here:
 * expectations, CONNECT, what is no HTTP at all, and more requests at once than one connection may.
 */
import { randomUUID } from 'node:crypto'
import {
  createServer,
  STATUS_CODES,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Denial, type DenialCode } from '../denial.ts'
import type { Proxy } from './proxy.ts'
import { renderRefusal, type Answer } from './refuse.ts'

export interface ServerOptions {
  readonly limits: {
    readonly headerBytes: number
    readonly connections: number
    /** Requests of one connection under way at once. */
    readonly pipelined: number
  }
  /** Milliseconds. */
  readonly timeouts: {
    readonly headers: number
    readonly request: number
    readonly keepAlive: number
  }
  /** Called for what never became a request. */
  readonly onMalformed: (code: DenialCode) => void
  /** Whether connections are to end with the answer under way. */
  readonly isDraining: () => boolean
}

export function createTrafficServer(proxy: Proxy, options: ServerOptions): Server {
  const { limits, timeouts, onMalformed, isDraining } = options
  const server = createServer({
    maxHeaderSize: limits.headerBytes,
    headersTimeout: timeouts.headers,
    requestTimeout: timeouts.request,
    keepAliveTimeout: timeouts.keepAlive,
    connectionsCheckingInterval: Math.min(1000, timeouts.headers),
    requireHostHeader: false, // Answered by the proxy, like every other refusal.
    noDelay: true,
  })
  server.maxHeadersCount = 0 // Counted by the proxy: Node would drop what is beyond, silently.
  server.maxConnections = limits.connections
  const underWay = new WeakMap<Socket, number>()

  const serve: RequestListener = (message, response) => {
    const { socket } = message
    const count = (underWay.get(socket) ?? 0) + 1
    underWay.set(socket, count)
    response.once('close', () => {
      const left = (underWay.get(socket) ?? 1) - 1
      underWay.set(socket, left)
      // An answer begun before the drain has promised the client to keep the connection open.
      if (left === 0 && !server.listening) socket.destroySoon()
    })
    if (count > limits.pipelined) {
      onMalformed('overloaded')
      socket.destroy()
      return
    }
    if (isDraining()) response.shouldKeepAlive = false
    void proxy(message, response)
  }
  server.on('request', serve)
  // Without this Node sends 100 Continue before the request is looked at.
  server.on('checkContinue', serve)
  server.on('checkExpectation', serve)
  server.on('connect', (_: IncomingMessage, socket) => {
    refuseRaw(socket, new Denial('method_unknown'), onMalformed)
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    refuseRaw(socket, new Denial(malformedCode(error.code), { cause: error }), onMalformed)
  })
  return server
}

function malformedCode(code: string | undefined): DenialCode {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return 'headers_too_large'
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 'request_timeout'
    case 'HPE_INVALID_VERSION':
      return 'version_unsupported'
    case 'HPE_INVALID_URL':
      return 'path_invalid'
    default:
      return 'header_invalid'
  }
}

/** An answer where there is no request to answer to. The connection ends with it. */
function refuseRaw(
  socket: Duplex,
  denial: Denial,
  onMalformed: ServerOptions['onMalformed'],
): void {
  onMalformed(denial.code)
  // With bytes of another answer on the wire, one more would be taken for a part of it.
  if (!socket.writable || ('bytesWritten' in socket && isAnswering(socket))) {
    socket.destroy()
    return
  }
  socket.end(serialize(renderRefusal(denial, randomUUID())))
}

function isAnswering(socket: object): boolean {
  return '_httpMessage' in socket && socket._httpMessage !== null
}

function serialize({ status, headers, body }: Answer): string {
  const fields = { ...headers, Connection: 'close', Date: new Date().toUTCString() }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`)
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, ...lines, '', body].join('\r\n')
}
