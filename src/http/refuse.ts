/** A refusal as the client sees it, written here and nowhere else: status, header fields and JSON. */
import { randomInt } from 'node:crypto'
import { REFUSALS, type Denial, type Refusal } from '../denial.ts'
import type { Challenger } from './challenge.ts'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Whether the connection ends with it. */
  readonly close: boolean
}

const RETRY_AFTER_SECONDS = { min: 1, max: 5 }

/** `challenge` is left out where no route is known. Nothing of what the client sent is repeated. */
export function renderRefusal(denial: Denial, requestId: string, challenge?: Challenger): Answer {
  const { status, error, description, close }: Refusal = REFUSALS[denial.code]
  const written = challenge?.(denial.code)
  const body = toBody({
    ...(error !== undefined && { error }),
    error_description: description,
    code: denial.code,
    requestId,
  })
  const headers = {
    'Content-Type': 'application/json',
    'Cache-Control': 'no-store',
    ...(written !== undefined && { 'WWW-Authenticate': written }),
    // Spread out, so that clients do not come back all at once.
    ...(status === 503 && { 'Retry-After': String(retryAfterSeconds()) }),
    ...denial.headers,
    ...(close && { Connection: 'close' }),
    'Content-Length': String(Buffer.byteLength(body)),
  }
  return { status, headers, body, close: close === true }
}

/** The answer to what is a bug of the gateway. */
export function renderFault(requestId: string): Answer {
  const description = 'The gateway failed'
  const body = toBody({ error_description: description, code: 'internal_error', requestId })
  const headers = {
    'Content-Type': 'application/json',
    'Cache-Control': 'no-store',
    Connection: 'close',
    'Content-Length': String(Buffer.byteLength(body)),
  }
  return { status: 500, headers, body, close: true }
}

/** With a line end, for those who read it in a terminal. */
function toBody(content: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify(content)}\n`
}

function retryAfterSeconds(): number {
  return randomInt(RETRY_AFTER_SECONDS.min, RETRY_AFTER_SECONDS.max + 1)
}
