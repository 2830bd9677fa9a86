/** What is kept of each request: one log line and one metric sample. Never a token or a proof. */
import type { Denial, DenialCode } from '../denial.ts'
import type { Grant } from '../gate.ts'
import { linesOf, type Fields } from './fields.ts'
import type { Message, Response } from './message.ts'
import type { OriginalRequest } from './original-request.ts'

/** One line of the access log; what is undefined is left out of it. Durations in milliseconds. */
export interface AccessLine {
  readonly requestId: string
  readonly method: string | undefined
  /** Without the query, which may hold anything. */
  readonly path: string | undefined
  readonly route: string
  readonly status: number
  readonly client: string | undefined
  /** Why the gateway refused, where it did. */
  readonly code: string | undefined
  /** Why it would have refused, had the route not only observed. */
  readonly observedCode: string | undefined
  readonly detail: string | undefined
  readonly cause: string | undefined
  /** Our clock less `iat` of a proof that was refused. */
  readonly clockDifferenceSeconds: number | undefined
  readonly subject: string | undefined
  readonly clientId: string | undefined
  readonly thumbprint: string | undefined
  readonly issuer: string | undefined
  readonly traceId: string | undefined
  readonly durationMs: number
  /** Until the decision was made. */
  readonly decisionMs: number | undefined
}

export interface Sample {
  readonly method: string
  readonly route: string
  readonly status: number
  readonly durationSeconds: number
  readonly code: string | undefined
  /** Why it would have been refused, had the route not only observed. */
  readonly observedCode: string | undefined
  /** How the request got through; undefined where nothing was asked for or it did not. */
  readonly admittedAs: 'dpop' | 'bearer' | 'proof' | undefined
  /** Our clock less the client's, where a proof was accepted. */
  readonly clockDifferenceSeconds: number | undefined
}

/** What was refused before it became a request. */
export interface Malformed {
  readonly code: DenialCode
  readonly requestId: string
  readonly client: string | undefined
}

/** Where records go. `fault` is for bugs alone. */
export interface Recorder {
  readonly malformed: (malformed: Malformed) => void
  /** Left out where requests are not logged. */
  readonly access: ((line: AccessLine) => void) | undefined
  readonly sample: (sample: Sample) => void
  readonly fault: (error: unknown, requestId: string) => void
}

/** One request while it is under way; each part is noted as it becomes known. */
export interface RequestRecord {
  readonly requestId: string
  request?: OriginalRequest
  /** What the client has called, without the path. */
  publicUrl?: string
  route?: string
  grant?: Grant | undefined
  decidedAt?: number
  denial?: Denial
  /** Of a route that only observes. */
  observed?: Denial
}

/** nginx's status for a client that went away before it was answered. */
const CLIENT_CLOSED = 499
const NO_ROUTE = 'none'

/** Writes the record when the response is through, one way or the other. */
export function recordWhenDone(
  record: RequestRecord,
  message: Message,
  response: Response,
  recorder: Recorder,
): void {
  const startedAt = performance.now()
  response.once('close', () => {
    const durationMs = performance.now() - startedAt
    const status = response.headersSent ? response.statusCode : CLIENT_CLOSED
    const { grant, denial, observed, route = NO_ROUTE } = record
    recorder.sample({
      method: message.method ?? '',
      route,
      status,
      durationSeconds: durationMs / 1000,
      code: denial?.code,
      observedCode: observed?.code,
      admittedAs: grant && admittedAs(grant),
      clockDifferenceSeconds: grant?.proof && grant.now - grant.proof.issuedAt,
    })
    recorder.access?.(accessLine(record, message, { status, route, startedAt, durationMs }))
  })
}

function accessLine(
  { requestId, request, grant, denial, observed, decidedAt }: RequestRecord,
  message: Message,
  done: { status: number; route: string; startedAt: number; durationMs: number },
): AccessLine {
  const { status, route, startedAt, durationMs } = done
  const token = grant?.token
  const refusal = denial ?? observed
  return {
    requestId,
    method: message.method,
    path: request?.path,
    route,
    status,
    client: request?.client ?? message.socket.remoteAddress,
    code: denial?.code,
    observedCode: observed?.code,
    detail: refusal?.detail,
    cause: refusal && causeOf(refusal),
    clockDifferenceSeconds: refusal?.clockDifferenceSeconds,
    subject: token?.subject,
    clientId: token?.clientId,
    thumbprint: grant?.proof?.thumbprint,
    issuer: token?.issuerName,
    traceId: request && traceOf(request.fields),
    durationMs: round(durationMs),
    decisionMs: decidedAt === undefined ? undefined : round(decidedAt - startedAt),
  }
}

function admittedAs({ token, proof }: Grant): NonNullable<Sample['admittedAs']> {
  if (!proof) return 'bearer'
  return token ? 'dpop' : 'proof'
}

/** In words. */
function causeOf({ cause }: Denial): string | undefined {
  if (cause instanceof Error) return cause.message
  return typeof cause === 'string' ? cause : undefined
}

/** W3C Trace Context §3.2: version, trace id, parent id, flags. */
function traceOf(fields: Fields): string | undefined {
  const parent = linesOf(fields, 'traceparent')[0]
  return parent && /^[\da-f]{2}-([\da-f]{32})-/.exec(parent)?.[1]
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000
}
