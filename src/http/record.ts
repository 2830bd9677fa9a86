/** What is kept of each request: one log line and one metric sample. Never a token or a proof. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Denial } from '../denial.ts'
import type { Grant } from '../gate.ts'
import type { OriginalRequest } from './original-request.ts'

/** One line of the access log. Durations in milliseconds. */
export interface AccessLine {
  readonly requestId: string
  readonly method: string
  /** Without the query, which may hold anything. */
  readonly path?: string
  readonly route: string
  readonly status: number
  readonly client: string
  /** The code of the refusal, where the gateway refused. */
  readonly code?: string
  readonly detail?: string
  readonly cause?: string
  readonly subject?: string
  readonly clientId?: string
  readonly thumbprint?: string
  readonly issuer?: string
  readonly traceId?: string
  readonly durationMs: number
  /** Until the decision was made. */
  readonly decisionMs?: number
}

export interface Sample {
  readonly method: string
  readonly route: string
  readonly status: number
  readonly durationSeconds: number
  readonly code: string | undefined
  /** Our clock less the client's, where a proof was accepted. */
  readonly clockDifferenceSeconds: number | undefined
}

/** Where records go. `fault` is for bugs alone. */
export interface Recorder {
  readonly access: (line: AccessLine) => void
  readonly sample: (sample: Sample) => void
  readonly fault: (error: unknown, requestId: string) => void
}

/** One request while it is under way; each part is noted as it becomes known. */
export interface RequestRecord {
  readonly requestId: string
  request?: OriginalRequest
  route?: string
  grant?: Grant | undefined
  decidedAt?: number
  denial?: Denial
}

/** nginx's status for a client that went away before it was answered. */
const CLIENT_CLOSED = 499
const NO_ROUTE = 'none'

/** Writes the record when the response is through, one way or the other. */
export function recordWhenDone(
  record: RequestRecord,
  message: IncomingMessage,
  response: ServerResponse,
  recorder: Recorder,
): void {
  const startedAt = performance.now()
  response.once('close', () => {
    const durationMs = performance.now() - startedAt
    const status = response.headersSent ? response.statusCode : CLIENT_CLOSED
    const { grant, denial, route = NO_ROUTE } = record
    recorder.sample({
      method: message.method ?? '',
      route,
      status,
      durationSeconds: durationMs / 1000,
      code: denial?.code,
      clockDifferenceSeconds: grant && grant.now - grant.proof.issuedAt,
    })
    recorder.access(accessLine(record, message, { status, route, startedAt, durationMs }))
  })
}

function accessLine(
  { requestId, request, grant, denial, decidedAt }: RequestRecord,
  message: IncomingMessage,
  done: { status: number; route: string; startedAt: number; durationMs: number },
): AccessLine {
  const { status, route, startedAt, durationMs } = done
  return {
    requestId,
    method: message.method ?? '',
    ...(request && { path: request.path }),
    route,
    status,
    client: request?.client ?? message.socket.remoteAddress ?? '',
    ...(denial && { code: denial.code }),
    ...(denial?.detail !== undefined && { detail: denial.detail }),
    ...(denial?.cause instanceof Error && { cause: denial.cause.message }),
    ...(grant && identity(grant)),
    ...traceOf(message),
    durationMs: round(durationMs),
    ...(decidedAt !== undefined && { decisionMs: round(decidedAt - startedAt) }),
  }
}

function identity({ token }: Grant): Partial<AccessLine> {
  return {
    ...(token.subject !== undefined && { subject: token.subject }),
    ...(token.clientId !== undefined && { clientId: token.clientId }),
    ...(token.thumbprint !== undefined && { thumbprint: token.thumbprint }),
    issuer: token.issuerName,
  }
}

/** W3C Trace Context §3.2: version, trace id, parent id, flags. */
function traceOf({ headers }: IncomingMessage): Partial<AccessLine> {
  const traceId = /^[\da-f]{2}-([\da-f]{32})-/.exec(String(headers['traceparent'] ?? ''))?.[1]
  return traceId === undefined ? {} : { traceId }
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000
}
