/** One request sent to one upstream, and its answer passed on. */
import type { Dispatcher } from 'undici'
import { createAnswer, type AnswerRules } from './answer.ts'
import { closeAfter } from './closing.ts'
import type { Message, Response } from './message.ts'
import { streamBody, type RequestBody } from './request-body.ts'
import type { Upstream } from './upstreams.ts'

export interface UpstreamRequest {
  readonly method: string
  /** Path and query, for an upstream with the given base path. */
  readonly path: (basePath: string) => string
  /** Name and value in turn. */
  readonly fields: string[]
  readonly hasBody: boolean
  /** Largest body that is passed on, in bytes. */
  readonly maxBodyBytes: number
  /** Until the answer begins, and between two pieces of it. */
  readonly responseTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly answer: AnswerRules
}

/** Why the answer is not complete. */
export interface Failure {
  readonly cause: unknown
  /** Whether the upstream may have seen the request. */
  readonly wasSent: boolean
}

/**
 * Resolves without a Failure where the whole answer is here, of which the rest goes out at the end of
 * the turn, or where the client is gone. Never rejects.
 */
export function exchange(
  upstream: Upstream,
  request: UpstreamRequest,
  message: Message,
  response: Response,
): Promise<Failure | undefined> {
  // Gone while it was decided on: nobody would be told of it again.
  if (response.destroyed) return Promise.resolve(undefined)
  const { backend, basePath } = upstream
  const body = request.hasBody ? streamBody(message, request) : undefined
  const answer = createAnswer(response, request.idleTimeoutMs, request.answer)
  return new Promise((resolve) => {
    let running: Dispatcher.DispatchController | undefined
    let isOver = false
    const release = backend.begin()
    const end = (failure?: Failure) => {
      if (isOver) return
      isOver = true
      release()
      response.off('close', abort)
      answer.release()
      body?.stop()
      resolve(failure)
    }
    const abort = () => {
      end()
      running?.abort(new Error('the client went away'))
    }
    response.on('close', abort)
    backend.pool.dispatch(dispatchOptions(request, basePath, body), {
      onRequestStart(controller) {
        running = controller
        if (isOver) controller.abort(new Error('the client went away while it waited'))
        else body?.start()
      },
      onResponseStart(controller, status, headers) {
        if (status < 200) return // RFC 9110 §15.2: what is provisional may be left out.
        if (body && !message.complete) closeAfter(message, response) // Its upload is cut short.
        answer.begin(controller, status, headers)
      },
      onResponseData(_, chunk) {
        answer.write(chunk)
      },
      onResponseEnd() {
        answer.end()
        end()
      },
      onResponseError(_, error) {
        if (response.destroyed || response.writableEnded) end()
        else end({ cause: body?.fault() ?? error, wasSent: running !== undefined })
      },
    })
  })
}

function dispatchOptions(
  request: UpstreamRequest,
  basePath: string,
  body: RequestBody | undefined,
): Dispatcher.DispatchOptions {
  const options: Dispatcher.DispatchOptions = {
    method: request.method,
    path: request.path(basePath),
    headers: request.fields,
    body: body?.stream ?? null,
    headersTimeout: request.responseTimeoutMs,
    bodyTimeout: request.idleTimeoutMs,
  }
  if (isLast(request)) options.reset = true
  return options
}

const EXPECT_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH'])

/**
 * A server that knows no chunks, or no body of such a method, takes the body for the next request
 * of its connection: unless this one says that there is none.
 */
function isLast({ method, hasBody, fields }: UpstreamRequest): boolean {
  if (!hasBody) return false
  const hasLength = fields.some((name, at) => at % 2 === 0 && name === 'content-length')
  return !(hasLength && EXPECT_BODY.has(method))
}
