/** HTTP/2 on the connections that have negotiated it (RFC 9113). */
import { performServerHandshake, type ServerHttp2Session } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { serveStreams } from './http2-streams.ts'
import type { Proxy } from './proxy.ts'
import type { ServerOptions } from './server-options.ts'

export interface Http2 {
  readonly accept: (socket: TLSSocket) => void
  /** Every connection ends once its streams have: GOAWAY (RFC 9113 §6.8). */
  readonly drain: () => void
}

const PSEUDO_FIELDS = 4
/** Frames that break the protocol, or streams beyond the limit, until the connection is closed. */
const MAX_OFFENCES = 100

export function createHttp2(proxy: Proxy, options: ServerOptions): Http2 {
  const sessions = new Set<ServerHttp2Session>()
  const sessionOptions = sessionOptionsOf(options)
  return {
    accept(socket) {
      const session = performServerHandshake(socket, sessionOptions)
      sessions.add(session)
      session.once('close', () => sessions.delete(session))
      session.on('error', () => undefined) // It ends with it, and so do its streams.
      serveStreams(session, socket, proxy, options)
    },
    drain() {
      for (const session of sessions) session.close()
    },
  }
}

/** Floods of PING and SETTINGS, and of CONTINUATION, nghttp2 ends by itself. */
function sessionOptionsOf({ limits }: ServerOptions) {
  return {
    settings: {
      maxConcurrentStreams: limits.pipelined,
      maxHeaderListSize: limits.headerBytes,
      enablePush: false,
      enableConnectProtocol: false,
    },
    // What is beyond is reset: enough that the proxy can answer what is only a few too many.
    maxHeaderListPairs: 2 * limits.headerCount + PSEUDO_FIELDS,
    maxSettings: 32,
    maxOutstandingPings: 10,
    maxSessionMemory: 10, // MiB. No further streams while they hold more than that.
    maxSessionInvalidFrames: MAX_OFFENCES,
    maxSessionRejectedStreams: MAX_OFFENCES,
  }
}
