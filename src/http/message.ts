/**
 * What the gateway needs of a request and of its answer. Node's own objects of HTTP/1.1 are that as
 * they are; of HTTP/2 http2-message.ts and http2-response.ts make it from a stream.
 */
import type { OutgoingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'

export interface Message extends Readable {
  readonly method?: string | undefined
  readonly url?: string | undefined
  /** Names and values in turn, as sent; of HTTP/2 the pseudo-header fields too. */
  readonly rawHeaders: readonly string[]
  readonly httpVersionMajor: number
  readonly httpVersionMinor: number
  /** Whether its body has come in to the end. */
  readonly complete: boolean
  readonly socket: Carrier
  /** Of HTTP/2 alone, where a connection carries many requests and ends with none of them. */
  readonly streamId?: number
}

/** What ends with a request that is broken off: its connection, or of HTTP/2 its stream. */
export interface Carrier {
  readonly remoteAddress?: string | undefined
  /** Whether it came over TLS. */
  readonly encrypted?: boolean
  destroy(): unknown
}

type ResponseEvent = 'close' | 'drain' | 'finish'

export interface Response {
  readonly req: Message
  readonly statusCode: number
  readonly headersSent: boolean
  readonly destroyed: boolean
  readonly writableEnded: boolean
  /** Whether the connection is to be kept after it, where the version leaves that open. */
  shouldKeepAlive: boolean
  writeContinue(): void
  writeHead(status: number, headers: OutgoingHttpHeaders): Response
  flushHeaders(): void
  write(chunk: Buffer): boolean
  end(body?: string | Buffer): unknown
  /** Breaks it off, so that the client cannot take what it has for the whole. */
  destroy(): unknown
  on(event: ResponseEvent, listener: () => void): unknown
  once(event: ResponseEvent, listener: () => void): unknown
  off(event: ResponseEvent, listener: () => void): unknown
}
