/**
 * One request through to the upstream and its answer back: streamed both ways with back-pressure,
 * aborted on either side when the other one goes away. Nothing is held for longer than a turn of the
 * event loop.
 */
import { exchange, type Failure, type UpstreamRequest } from './exchange.ts'
import type { Message, Response } from './message.ts'
import { isClosedConnection, translateUpstreamError } from './upstream-error.ts'
import type { UpstreamGroup } from './upstreams.ts'

const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])

/**
 * Resolves when the answer has been passed on, or the client is gone. Rejects with a Denial
 * (`upstream_*`, `body_too_large`, `overloaded`); where the header of the answer is out already, what
 * is left is to break it off. The proof has been claimed before and is not looked at again.
 */
export async function forward(
  upstreams: UpstreamGroup,
  request: UpstreamRequest,
  message: Message,
  response: Response,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const upstream = upstreams.next()
    const failure = await exchange(upstream, request, message, response)
    if (!failure) return
    const { denial, isUpstreamsFault } = translateUpstreamError(failure.cause)
    if (!failure.wasSent && isUpstreamsFault) upstream.backend.markDown()
    const repeats = isUpstreamsFault && mayRepeat(request, failure, attempt, upstreams.size)
    if (!repeats || response.headersSent) throw denial
  }
}

/**
 * A request that was never sent can go to another upstream. One that was may be sent once more if it
 * is idempotent and the connection just turned out to be closed (RFC 9110 §9.2.2).
 */
function mayRepeat(
  { method, hasBody }: UpstreamRequest,
  { cause, wasSent }: Failure,
  attempt: number,
  upstreams: number,
): boolean {
  if (!wasSent) return attempt < upstreams
  return attempt === 1 && !hasBody && IDEMPOTENT.has(method) && isClosedConnection(cause)
}
