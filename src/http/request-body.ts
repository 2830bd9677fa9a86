/**
 * The body of a request on its way to the upstream. It is its own stream, because undici destroys
 * the body it was given when an exchange fails, and with the request itself the connection would go
 * that the refusal is to be sent on.
 */
import { PassThrough, Transform, type Readable } from 'node:stream'
import { Denial } from '../denial.ts'
import type { Message } from './message.ts'

export interface RequestBody {
  readonly stream: Readable
  /** Begins to read from the client: not before, so that another upstream could still be tried. */
  start(): void
  /** Stops reading from the client. */
  stop(): void
  /** Why it ended early, where the reason is the body itself. */
  fault(): unknown
}

export interface BodyLimits {
  readonly maxBodyBytes: number
  /** Longest pause of the client between two pieces. */
  readonly idleTimeoutMs: number
}

export function streamBody(
  message: Message,
  { maxBodyBytes, idleTimeoutMs }: BodyLimits,
): RequestBody {
  const stream = Number.isFinite(maxBodyBytes) ? limited(maxBodyBytes) : new PassThrough()
  let fault: unknown
  let idle: NodeJS.Timeout | undefined
  const breakOff = () => {
    if (message.complete) return
    // Of HTTP/2 the reason may be ours.
    const { errored } = message
    stream.destroy(errored instanceof Denial ? errored : new Error('the client went away'))
  }
  const onPiece = () => void idle?.refresh()
  const onIdle = () => {
    if (message.complete) return
    // While the upstream takes nothing, the client is not asked for more.
    if (message.isPaused()) onPiece()
    else stream.destroy(new Denial('request_timeout'))
  }
  stream.on('error', (error) => {
    if (error instanceof Denial) fault = error
  })
  return {
    stream,
    start() {
      idle = setTimeout(onIdle, idleTimeoutMs)
      message.on('data', onPiece).once('close', breakOff).pipe(stream)
    },
    stop() {
      clearTimeout(idle)
      message.off('data', onPiece).off('close', breakOff).unpipe(stream)
    },
    fault: () => fault,
  }
}

function limited(maxBytes: number): Transform {
  let bytes = 0
  return new Transform({
    transform(chunk: Buffer, _, done) {
      bytes += chunk.length
      if (bytes > maxBytes) done(new Denial('body_too_large'))
      else done(null, chunk)
    },
  })
}
