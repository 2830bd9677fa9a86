/**
 * The requests of one HTTP/2 connection. What it may do is bounded: requests at once, also those the
 * client has given up, how many it gives up, and time without any.
 */
import { randomUUID } from 'node:crypto'
import {
  constants,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { LINGER_MS } from './closing.ts'
import { createMessage } from './http2-message.ts'
import { createResponse } from './http2-response.ts'
import type { Proxy } from './proxy.ts'
import { createResetBudget } from './reset-budget.ts'
import type { ServerOptions } from './server-options.ts'

const { NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_REFUSED_STREAM } = constants

type OnStream = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  flags: number,
  rawHeaders: readonly string[],
) => void

export function serveStreams(
  session: ServerHttp2Session,
  socket: TLSSocket,
  proxy: Proxy,
  { limits, timeouts, onMalformed, isDraining }: ServerOptions,
): void {
  const peer = socket.remoteAddress
  const resets = createResetBudget(2 * limits.pipelined)
  const watch = watchIdle(session, socket, timeouts)
  const overload = () => {
    onMalformed({ code: 'overloaded', requestId: randomUUID(), client: peer })
  }
  let underWay = 0
  const onStream: OnStream = (stream, headers, _, rawHeaders) => {
    stream.on('error', () => undefined) // Whoever has a part in it listens to its close.
    watch(stream)
    let isAnswered = () => false
    stream.once('close', () => {
      // Whatever the code says: a stream whose answer is not out has been given up.
      if (isAnswered() || resets.take(performance.now())) return
      // Each has cost a decision (CVE-2023-44487).
      if (!session.destroyed) overload()
      session.destroy(new Error('too many streams given up'), NGHTTP2_ENHANCE_YOUR_CALM)
    })
    if (underWay >= limits.pipelined) {
      overload()
      stream.close(NGHTTP2_REFUSED_STREAM)
      return
    }
    if (isDraining()) session.close()
    underWay++
    const { ':method': method = '', ':path': path = '' } = headers
    const message = createMessage(stream, { method, path, rawHeaders, peer }, timeouts.request)
    const response = createResponse(stream, message, timeouts.keepAlive)
    isAnswered = () => response.writableEnded
    void proxy(message, response).finally(() => {
      underWay--
    })
  }
  session.on('stream', onStream)
}

/** Ends a connection without a stream in time. A PING does not count as one. */
function watchIdle(
  session: ServerHttp2Session,
  socket: TLSSocket,
  { headers, keepAlive }: ServerOptions['timeouts'],
): (stream: ServerHttp2Stream) => void {
  let open = 0
  const end = () => {
    session.close()
    timer = setTimeout(() => socket.destroy(), LINGER_MS)
  }
  let timer = setTimeout(end, headers)
  socket.once('close', () => {
    clearTimeout(timer)
  })
  return (stream) => {
    clearTimeout(timer)
    open++
    stream.once('close', () => {
      open--
      if (open > 0 || socket.destroyed) return
      // Closed already where it drains: what is left is to wait for the client to close too.
      timer = setTimeout(end, session.closed ? 0 : keepAlive)
    })
  }
}
