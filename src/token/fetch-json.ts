/**
 * Fetches a JSON object an issuer publishes. Bounded in time and size from the first byte to the
 * last, so that neither a silent nor a dripping server holds anything up. No redirects: they would
 * let whoever controls one page of the issuer's host choose the keys that are trusted.
 */
import { Agent, request } from 'undici'
import { parseJsonObject, type JsonObject } from '../jws/json.ts'
import { isLoopback } from '../loopback.ts'

export interface FetchOptions {
  /** Whether plain http is allowed to hosts beyond loopback. */
  readonly allowHttp: boolean
  /** Bounds the whole exchange. */
  readonly timeoutMs: number
  readonly maxBytes: number
  /** Gives up when aborted. */
  readonly signal: AbortSignal
}

export interface Fetched {
  readonly document: JsonObject
  /** `max-age` of Cache-Control (RFC 9111 §5.2.2.1), undefined where there is none. */
  readonly maxAgeSeconds: number | undefined
}

const agent = new Agent({ connections: 4 })

/** Throws an Error that says what was wrong with the answer. */
export async function fetchJson(url: string, options: FetchOptions): Promise<Fetched> {
  if (!isSafeToFetch(url, options.allowHttp)) throw new Error(`${url} is not an https URL`)
  const timeout = AbortSignal.timeout(options.timeoutMs)
  try {
    const { statusCode, headers, body } = await request(url, {
      dispatcher: agent,
      headers: { accept: 'application/json' },
      // Documents are fetched minutes apart: a connection kept open would only go stale.
      reset: true,
      signal: AbortSignal.any([timeout, options.signal]),
    })
    // A body that is given up says so in an event as well, which ends the process if unheard.
    body.on('error', () => undefined)
    if (statusCode !== 200) {
      body.destroy()
      throw new Error(`the answer has status ${statusCode}`)
    }
    const document = parseJsonObject(await readAtMost(body, options.maxBytes))
    if (!document) throw new Error('the answer is not a JSON object')
    return { document, maxAgeSeconds: readMaxAge(headers['cache-control']) }
  } catch (cause) {
    throw new Error(`${url}: ${timeout.aborted ? 'no complete answer in time' : reason(cause)}`, {
      cause,
    })
  }
}

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

async function readAtMost(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    length += chunk.length
    if (length > maxBytes) throw new Error(`the answer is longer than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function readMaxAge(header: string | string[] | undefined): number | undefined {
  const seconds = /(?:^|[\s,])max-age="?(\d{1,10})/i.exec(String(header ?? ''))?.[1]
  return seconds === undefined ? undefined : Number(seconds)
}
