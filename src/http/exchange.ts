/** One request sent to one upstream, and its answer passed on as it comes. */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Dispatcher } from 'undici'
import { HOP_BY_HOP, nominated } from './hop-by-hop.ts'
import { streamBody } from './request-body.ts'
import type { Upstream } from './upstreams.ts'

export interface UpstreamRequest {
  readonly method: string
  /** Path and query, for an upstream with the given base path. */
  readonly path: (basePath: string) => string
  /** Name and value in turn. */
  readonly fields: readonly string[]
  readonly hasBody: boolean
  /** Largest body that is passed on, in bytes. */
  readonly maxBodyBytes: number
  /** Until the answer begins, and between two pieces of it. */
  readonly responseTimeoutMs: number
  readonly idleTimeoutMs: number
}

/** Why there is no answer at all. */
export interface Failure {
  readonly cause: unknown
  /** Whether the upstream may have seen the request. */
  readonly wasSent: boolean
}

/** Resolves with a Failure only as long as nothing of an answer has been passed on. */
export function exchange(
  upstream: Upstream,
  request: UpstreamRequest,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<Failure | undefined> {
  return new Promise((resolve) => {
    const body = request.hasBody ? streamBody(message, request.maxBodyBytes) : undefined
    const end = (failure?: Failure) => {
      upstream.pending--
      response.off('close', abort).off('drain', resume)
      body?.stop()
      resolve(failure)
    }
    let controller: Dispatcher.DispatchController | undefined
    const abort = () => controller?.abort(new Error('the client went away'))
    const resume = () => controller?.resume()
    response.on('close', abort).on('drain', resume)

    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(started) {
        controller = started
        if (response.destroyed) abort()
        else body?.start()
      },
      onResponseStart(_, status, headers) {
        if (status < 200) return // RFC 9110 §15.2: what is provisional may be left out.
        if (body && !message.complete) response.shouldKeepAlive = false // Its upload is cut short.
        response.writeHead(status, downstreamHeaders(headers))
      },
      onResponseData(running, chunk) {
        if (!response.write(chunk)) running.pause()
      },
      onResponseEnd() {
        response.end()
        end()
      },
      onResponseError(_, error) {
        if (response.headersSent) {
          response.destroy() // No last chunk and no short body that looks finished.
          end()
        } else end({ cause: body?.fault() ?? error, wasSent: controller !== undefined })
      },
    }
    upstream.pending++
    upstream.pool.dispatch(dispatchOptions(upstream, request, body?.stream), handler)
  })
}

function dispatchOptions(
  { basePath }: Upstream,
  request: UpstreamRequest,
  body: Dispatcher.DispatchOptions['body'],
): Dispatcher.DispatchOptions {
  return {
    method: request.method,
    path: request.path(basePath),
    headers: request.fields as string[],
    body: body ?? null,
    headersTimeout: request.responseTimeoutMs,
    bodyTimeout: request.idleTimeoutMs,
  }
}

/** A nonce of the upstream's own would be taken for one of this gateway (RFC 9449 §8). */
const DROPPED: ReadonlySet<string> = new Set([...HOP_BY_HOP, 'dpop-nonce'])

/** The `headers` come from undici, names in lower case. */
function downstreamHeaders(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  const { connection } = headers
  const hopByHop = nominated(connection === undefined ? [] : [String(connection)])
  const passedOn: OutgoingHttpHeaders = {}
  for (const [name, value] of Object.entries(headers)) {
    if (!DROPPED.has(name) && !hopByHop.has(name)) passedOn[name] = value
  }
  return passedOn
}
