/** The answer on a stream of HTTP/2, which ends with it whatever is left of the request. */
import { validateHeaderValue, type OutgoingHttpHeaders } from 'node:http'
import { constants, type ServerHttp2Stream } from 'node:http2'
import { HOP_BY_HOP } from './hop-by-hop.ts'
import type { Message, Response } from './message.ts'

const { NGHTTP2_NO_ERROR } = constants
const BODILESS = new Set([204, 205, 304])

/** Once it is written, the client gets `takeTimeoutMs` to take what is left of it. */
export function createResponse(
  stream: ServerHttp2Stream,
  message: Message,
  takeTimeoutMs: number,
): Response {
  let statusCode = 0
  let isEnded = false
  let isBodiless = message.method === 'HEAD'
  const isGone = () => stream.destroyed || stream.closed
  const response: Response = {
    req: message,
    shouldKeepAlive: true,
    get statusCode() {
      return statusCode
    },
    get headersSent() {
      return stream.headersSent
    },
    get destroyed() {
      return stream.destroyed
    },
    // Node ends the stream of a HEAD at once: its own says nothing.
    get writableEnded() {
      return isEnded
    },
    writeContinue() {
      if (!isGone()) stream.additionalHeaders({ ':status': 100 })
    },
    writeHead(status, headers) {
      if (isGone()) return response
      statusCode = status
      isBodiless ||= BODILESS.has(status)
      stream.respond({ ...ofStream(headers), ':status': status })
      return response
    },
    flushHeaders: () => undefined, // They are out already.
    write: (chunk) => isBodiless || isGone() || stream.write(chunk),
    end(body) {
      if (isEnded) return
      isEnded = true
      if (isGone()) return
      if (!isBodiless) stream.end(body)
      endWith(stream, message, takeTimeoutMs)
    },
    destroy: () => {
      breakOff(stream)
    },
    on: (event, listener) => stream.on(event, listener),
    once: (event, listener) => stream.once(event, listener),
    off: (event, listener) => stream.off(event, listener),
  }
  return response
}

/** RFC 9113 §8.1: the answer is whole, and the rest of the request is not wanted. */
function endWith(stream: ServerHttp2Stream, message: Message, takeTimeoutMs: number): void {
  const timer = setTimeout(() => {
    breakOff(stream)
  }, takeTimeoutMs)
  stream.once('close', () => {
    clearTimeout(timer)
  })
  const close = () => {
    if (!message.complete && !stream.destroyed) stream.close(NGHTTP2_NO_ERROR)
  }
  if (stream.writableFinished) close()
  else stream.once('finish', close)
}

/**
 * RFC 9113 §8.1: with INTERNAL_ERROR. Closed in any other way, Node would end the stream first, and a
 * client could take what it has for the whole.
 */
export function breakOff(stream: ServerHttp2Stream): void {
  stream.destroy(new Error('broken off'))
}

/** RFC 9113 §8.2.2. What Node checks in an answer of HTTP/1.1 it lets pass here. */
function ofStream(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  const kept: OutgoingHttpHeaders = {}
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase()
    if (value === undefined || HOP_BY_HOP.has(lower)) continue
    for (const line of Array.isArray(value) ? value : [String(value)]) {
      validateHeaderValue(name, line)
    }
    kept[lower] = value
  }
  return kept
}
