/**
 * One exchange with an issuer. Bounded in time and size from the first byte to the last, so that
 * neither a silent nor a dripping server holds anything up. No redirects: they would let whoever
 * controls one page of the issuer's host choose the keys that are trusted, or collect tokens.
 */
import { Agent, request, type Dispatcher } from 'undici'
import { isLoopback } from '../loopback.ts'

export interface Bounds {
  /** Whether plain http is allowed to hosts beyond loopback. */
  readonly allowHttp: boolean
  /** Bounds the whole exchange. */
  readonly timeoutMs: number
  readonly maxBytes: number
  /** Gives up when aborted. */
  readonly signal?: AbortSignal
  /** Connections of its own, which are kept open. Default is a few for everybody, closed after use. */
  readonly dispatcher?: Dispatcher
}

export interface IssuerRequest {
  readonly headers: Readonly<Record<string, string>>
  /** Sent by POST as a form. Left out: GET. */
  readonly form?: URLSearchParams
}

export interface IssuerAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Empty but for status 200, and 400, which OAuth explains in it. */
  readonly body: Buffer
}

const shared = new Agent({ connections: 4 })

/** Rejects with an Error of one line, which names the URL and has what undici threw as its cause. */
export async function requestIssuer(
  url: string,
  { headers, form }: IssuerRequest,
  { allowHttp, timeoutMs, maxBytes, signal, dispatcher }: Bounds,
): Promise<IssuerAnswer> {
  if (!isSafeToFetch(url, allowHttp)) throw new Error(`${url} is not an https URL`)
  const timeout = AbortSignal.timeout(timeoutMs)
  try {
    const answer = await request(url, {
      method: form ? 'POST' : 'GET',
      headers: { ...headers, ...(form && { 'content-type': FORM }) },
      body: form?.toString() ?? null,
      dispatcher: dispatcher ?? shared,
      reset: dispatcher === undefined,
      signal: signal ? AbortSignal.any([timeout, signal]) : timeout,
    })
    const { statusCode: status, body } = answer
    // A body that is given up says so in an event as well, which ends the process if unheard.
    body.on('error', () => undefined)
    if (status === 200 || status === 400) {
      return { status, headers: answer.headers, body: await readAtMost(body, maxBytes) }
    }
    body.destroy()
    return { status, headers: answer.headers, body: Buffer.alloc(0) }
  } catch (cause) {
    throw new Error(`${url}: ${timeout.aborted ? 'no complete answer in time' : reason(cause)}`, {
      cause,
    })
  }
}

const FORM = 'application/x-www-form-urlencoded'

/** https, or plain http that does not leave the machine or was allowed by the operator. */
export function isSafeToFetch(url: string, allowHttp: boolean): boolean {
  if (!URL.canParse(url)) return false
  const parsed = new URL(url)
  if (parsed.protocol === 'https:') return true
  return parsed.protocol === 'http:' && (allowHttp || isLoopback(parsed))
}

/** What went wrong, on one line. */
export function reason(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  // A refused connection to a name with several addresses has its text in `code` alone.
  return cause.message || ('code' in cause ? String(cause.code) : cause.name)
}

const TOO_LONG = 'ERR_ANSWER_TOO_LONG'

/** Whether requestIssuer gave up because the answer was longer than it may be. */
export function isTooLong(error: unknown): boolean {
  return codeOfCause(error) === TOO_LONG
}

/** What Node, undici or this file call what requestIssuer rejected for. */
export function codeOfCause(error: unknown): string | undefined {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && 'code' in cause ? String(cause.code) : undefined
}

async function readAtMost(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    length += chunk.length
    if (length > maxBytes) {
      const message = `the answer is longer than ${maxBytes} bytes`
      throw Object.assign(new Error(message), { code: TOO_LONG })
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
