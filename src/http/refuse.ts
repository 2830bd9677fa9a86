/** A refusal as the client sees it, written here and nowhere else: status, header fields and JSON. */
import { randomInt } from 'node:crypto'
import { REFUSALS, type Denial, type Refusal } from '../denial.ts'
import type { Challenger } from './challenge.ts'

export interface RenderedRefusal {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Whether the connection ends with it. */
  readonly close: boolean
}

const RETRY_AFTER_SECONDS = { min: 1, max: 5 }

/** `challenge` is left out where no route is known. Nothing of what the client sent is repeated. */
export function renderRefusal(
  denial: Denial,
  requestId: string,
  challenge?: Challenger,
): RenderedRefusal {
  const { status, error, description, close }: Refusal = REFUSALS[denial.code]
  const written = challenge?.(denial.code)
  const headers = {
    ...(written !== undefined && { 'WWW-Authenticate': written }),
    // Spread out, so that clients do not come back all at once.
    ...(status === 503 && { 'Retry-After': String(retryAfterSeconds()) }),
    ...denial.headers,
  }
  const named = error === undefined ? {} : { error }
  const content = { ...named, error_description: description, code: denial.code, requestId }
  return render(status, content, { close: close === true, headers })
}

/** The answer to what is a bug of the gateway. */
export function renderFault(requestId: string): RenderedRefusal {
  const content = { error_description: 'The gateway failed', code: 'internal_error', requestId }
  return render(500, content, { close: true })
}

function render(
  status: number,
  content: Readonly<Record<string, unknown>>,
  { close, headers = {} }: Partial<RenderedRefusal> & { readonly close: boolean },
): RenderedRefusal {
  const body = `${JSON.stringify(content)}\n` // The line end is for those who read in a terminal.
  return {
    status,
    headers: {
      'Content-Type': 'application/json',
      'Cache-Control': 'no-store',
      ...headers,
      ...(close && { Connection: 'close' }),
      'Content-Length': String(Buffer.byteLength(body)),
    },
    body,
    close,
  }
}

function retryAfterSeconds(): number {
  return randomInt(RETRY_AFTER_SECONDS.min, RETRY_AFTER_SECONDS.max + 1)
}
