/** Fetches a JSON object an issuer publishes. */
import { parseJsonObject, type JsonObject } from '../jws/json.ts'
import { requestIssuer, type Bounds } from './request.ts'

interface Fetched {
  readonly document: JsonObject
  /** `max-age` of Cache-Control (RFC 9111 §5.2.2.1), undefined where there is none. */
  readonly maxAgeSeconds: number | undefined
}

/** What fetching a document an issuer publishes may take. */
export const DOCUMENT_BOUNDS = { timeoutMs: 5_000, maxBytes: 1024 * 1024 } as const

/** Rejects with an Error that says what was wrong with the answer. */
export async function fetchJson(url: string, bounds: Bounds): Promise<Fetched> {
  const answer = await requestIssuer(url, { headers: { accept: 'application/json' } }, bounds)
  const { status, headers, body } = answer
  if (status !== 200) throw new Error(`${url}: the answer has status ${status}`)
  const document = parseJsonObject(body)
  if (!document) throw new Error(`${url}: the answer is not a JSON object`)
  return { document, maxAgeSeconds: readMaxAge(headers['cache-control']) }
}

function readMaxAge(header: string | string[] | undefined): number | undefined {
  const seconds = /(?:^|[\s,])max-age="?(\d{1,10})/i.exec(String(header ?? ''))?.[1]
  return seconds === undefined ? undefined : Number(seconds)
}
