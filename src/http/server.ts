/**
 * The listener of the traffic. What Node answers by itself, or lets through, is answered here:
 * expectations, CONNECT, what is no HTTP at all, and more requests at once than one connection may.
 */
import { randomUUID } from 'node:crypto'
import {
  STATUS_CODES,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { Socket, type DropArgument } from 'node:net'
import type { Duplex } from 'node:stream'
import { Denial, type DenialCode } from '../denial.ts'
import { acceptUpgrades, BODILESS_ALONE } from './accept-upgrades.ts'
import { isClosing, linger } from './closing.ts'
import type { Proxy } from './proxy.ts'
import { renderRefusal, type RenderedRefusal } from './refuse.ts'
import type { ServerOptions } from './server-options.ts'
import { createTransport } from './transport.ts'

export function createTrafficServer(proxy: Proxy, options: ServerOptions): Server {
  const { limits, timeouts, onMalformed } = options
  const server = createTransport(proxy, options, {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: timeouts.headers,
    requestTimeout: timeouts.request,
    keepAliveTimeout: timeouts.keepAlive,
    connectionsCheckingInterval: Math.min(1000, timeouts.headers),
    requireHostHeader: false, // Answered by the proxy, like every other refusal.
    noDelay: true,
    ...(options.upgrade && BODILESS_ALONE),
  })
  server.maxHeadersCount = 0 // Counted by the proxy: Node would drop what is beyond, silently.
  server.maxConnections = limits.connections
  const underWay: UnderWay = new WeakMap()
  const serve = createListener(proxy, server, underWay, options)
  server.on('request', serve)
  // Without this Node sends 100 Continue before the request is looked at.
  server.on('checkContinue', serve)
  server.on('checkExpectation', serve)
  if (options.upgrade) acceptUpgrades(server, options.upgrade, (socket) => underWay.get(socket))
  refuseMalformed(server, underWay, onMalformed)
  return server
}

/** The answers of each connection that are not out yet. */
type UnderWay = WeakMap<Duplex, Set<ServerResponse>>

function createListener(
  proxy: Proxy,
  server: Server,
  underWay: UnderWay,
  { limits, onMalformed, isDraining }: ServerOptions,
): RequestListener {
  return (message, response) => {
    const { socket } = message
    const responses = underWay.get(socket) ?? track(socket, underWay)
    responses.add(response)
    response.once('close', () => {
      responses.delete(response)
      // An answer begun before the drain has promised the client to keep the connection open.
      if (responses.size === 0 && !server.listening) socket.destroySoon()
    })
    if (responses.size > limits.pipelined) {
      onMalformed({ code: 'overloaded', requestId: randomUUID(), client: socket.remoteAddress })
      socket.destroy()
      return
    }
    // Counted like the others: Node keeps what is pipelined behind the last answer as well.
    if (isClosing(socket)) {
      message.resume()
      return
    }
    // Node's parser stops behind a request that could have switched protocols and did not.
    if (isDraining() || message.headers.upgrade !== undefined) response.shouldKeepAlive = false
    void proxy(message, response)
  }
}

/** Node tells only the first of several pipelined answers that their connection is gone. */
function track(socket: Duplex, underWay: UnderWay): Set<ServerResponse> {
  const responses = new Set<ServerResponse>()
  underWay.set(socket, responses)
  socket.once('close', () => {
    process.nextTick(() => {
      for (const response of responses) {
        response.destroy()
        response.emit('close')
      }
    })
  })
  return responses
}

/** What Node does not hand on as a request. The connection ends with the answer. */
function refuseMalformed(
  server: Server,
  underWay: UnderWay,
  onMalformed: ServerOptions['onMalformed'],
): void {
  const refuse = (socket: Duplex, denial: Denial) => {
    const requestId = randomUUID()
    onMalformed({ code: denial.code, requestId, client: addressOf(socket) })
    socket.write(serialize(renderRefusal(denial, requestId)))
    linger(socket)
  }
  server.on('connect', (_: IncomingMessage, socket) => {
    // RFC 9110 §10.2.1: an empty Allow, for another server is no resource of this one.
    refuse(socket, new Denial('method_unknown', { headers: { Allow: '' } }))
  })
  server.on('clientError', (error: ParserError, socket) => {
    if (isClosing(socket)) return // It is read on, but not understood.
    if (socket.writable && mayAnswer(underWay.get(socket))) {
      refuse(socket, new Denial(malformedCode(error)))
    } else socket.destroy()
  })
  server.on('drop', (dropped?: DropArgument) => {
    onMalformed({ code: 'overloaded', requestId: randomUUID(), client: dropped?.remoteAddress })
  })
}

function addressOf(socket: Duplex): string | undefined {
  return socket instanceof Socket ? socket.remoteAddress : undefined
}

/** Node's own errors and those of llhttp, which say in words what was expected. */
type ParserError = NodeJS.ErrnoException & { readonly reason?: string }

function malformedCode({ code, reason }: ParserError): DenialCode {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return 'headers_too_large'
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 'request_timeout'
    case 'HPE_INVALID_VERSION':
      return reason?.includes('CRLF') ? 'header_invalid' : 'version_unsupported'
    case 'HPE_INVALID_URL':
      return 'path_invalid'
    default:
      return 'header_invalid'
  }
}

/**
 * Whether an answer may be put on the wire: not where it would be taken for that to another request
 * or for a part of one. What is malformed can be the body of the one request under way.
 */
function mayAnswer(responses: ReadonlySet<ServerResponse> = new Set()): boolean {
  const [response, ...others] = responses
  return !response || (others.length === 0 && !response.headersSent && !response.req.complete)
}

function serialize({ status, headers, body }: RenderedRefusal): string {
  const fields = { ...headers, Connection: 'close', Date: new Date().toUTCString() }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`)
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, ...lines, '', body].join('\r\n')
}
