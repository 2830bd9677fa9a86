/** A stream of HTTP/2 as a request: its head as it came in, and its body to be read. */
import type { ServerHttp2Stream } from 'node:http2'
import { Readable } from 'node:stream'
import { Denial } from '../denial.ts'
import type { Message } from './message.ts'
import { breakOff } from './http2-response.ts'

export interface Head {
  readonly method: string
  readonly path: string
  readonly rawHeaders: readonly string[]
  /** Address of the peer. */
  readonly peer: string | undefined
}

/** One whose body is not whole within `timeoutMs` is cut short with `request_timeout`. */
export function createMessage(stream: ServerHttp2Stream, head: Head, timeoutMs: number): Message {
  let isComplete = stream.endAfterHeaders
  const body = new Readable({ read: () => void stream.resume() })
  const timer = isComplete
    ? undefined
    : setTimeout(() => body.destroy(new Denial('request_timeout')), timeoutMs)
  if (isComplete) body.push(null)
  else stream.pause()
  stream.on('data', (chunk: Buffer) => {
    if (!body.push(chunk)) stream.pause()
  })
  stream.on('end', () => {
    // A stream that is reset ends as well, and what came of its body is not the whole.
    if (stream.closed || isComplete) return
    isComplete = true
    clearTimeout(timer)
    body.push(null)
  })
  stream.once('close', () => {
    clearTimeout(timer)
    if (!isComplete) body.destroy()
  })
  body.on('error', () => undefined) // Whoever reads it looks at `errored`.
  const carrier = {
    remoteAddress: head.peer,
    encrypted: true,
    destroy: () => {
      breakOff(stream)
    },
  }
  return Object.defineProperties(body, {
    method: { value: head.method },
    url: { value: head.path },
    rawHeaders: { value: head.rawHeaders },
    httpVersionMajor: { value: 2 },
    httpVersionMinor: { value: 0 },
    streamId: { value: stream.id },
    socket: { value: carrier },
    complete: { get: () => isComplete },
  }) as Message
}
