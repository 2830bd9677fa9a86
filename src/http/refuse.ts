/** A refusal as the client sees it, written here and nowhere else: status, header fields and JSON. */
import { randomInt } from 'node:crypto'
import { REFUSALS, type Denial, type DenialCode, type Refusal } from '../denial.ts'
import type { Challenger, Scheme } from './challenge.ts'

/** How a route refuses. */
export interface RefusalRules {
  readonly challenge: Challenger
  /** A nonce to send with a 401; undefined where proofs need none (RFC 9449 §8, §9). */
  readonly nonce: (() => string) | undefined
  /** The same where proofs are asked for one by exception, because the replay store is out of reach. */
  readonly outageNonce?: (() => string) | undefined
  /** Whether the clients are those of a token endpoint, which has no challenges (RFC 9449 §5). */
  readonly isTokenEndpoint: boolean
  /** Whether a refusal says what was expected and what was received. */
  readonly debug: boolean
}

/** What of the request a refusal depends on, as far as it is known. */
export interface Call {
  /** The one the client has used. */
  readonly scheme?: Scheme
  readonly publicUrl?: string | undefined
}

export interface RenderedRefusal {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body: string
  /** Whether the connection ends with it. */
  readonly close: boolean
}

const RETRY_AFTER_SECONDS = { min: 1, max: 5 }

/** `rules` are left out where no route is known. Without `debug` nothing of what the client sent is repeated. */
export function renderRefusal(
  denial: Denial,
  requestId: string,
  rules?: RefusalRules,
  { scheme = 'dpop', publicUrl = '' }: Call = {},
): RenderedRefusal {
  const refusal: Refusal = REFUSALS[denial.code]
  const { error, description, close } = refusal
  // RFC 9449 §5, RFC 6749 §5.2: what is wrong with a request for a token is 400.
  const isTokenError = rules?.isTokenEndpoint === true && refusal.challenge === true
  const challenges = isTokenError ? [] : (rules?.challenge(denial.code, scheme, publicUrl) ?? [])
  const nonce = refusal.status === 401 ? nonceFor(denial.code, rules) : undefined
  const headers = {
    ...(challenges.length > 0 && { 'WWW-Authenticate': challenges }),
    ...(nonce && { 'DPoP-Nonce': nonce() }),
    // Spread out, so that clients do not come back all at once.
    ...(refusal.status === 503 && { 'Retry-After': String(retryAfterSeconds()) }),
    ...denial.headers,
  }
  const content = {
    ...(error === undefined ? {} : { error }),
    error_description: description,
    code: denial.code,
    requestId,
    ...(rules?.debug === true && explain(denial)),
  }
  return render(isTokenError ? 400 : refusal.status, content, { close: close === true, headers })
}

function nonceFor(code: DenialCode, rules?: RefusalRules): (() => string) | undefined {
  return rules?.nonce ?? (code === 'proof_nonce' ? rules?.outageNonce : undefined)
}

/** What a developer needs to see why, where the operator lets it be said. */
function explain({ comparison, clockDifferenceSeconds }: Denial) {
  return { ...comparison, ...(clockDifferenceSeconds !== undefined && { clockDifferenceSeconds }) }
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
