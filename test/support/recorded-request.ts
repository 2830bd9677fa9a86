import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'

/** What an endpoint that takes forms was sent. */
export interface RecordedRequest {
  readonly method: string
  readonly headers: IncomingHttpHeaders
  readonly form: URLSearchParams
}

export async function readForm(request: IncomingMessage): Promise<RecordedRequest> {
  const { method = '', headers } = request
  return { method, headers, form: new URLSearchParams(await text(request)) }
}

/** Whether it is a POST of a form (RFC 7662 §2.1, RFC 6749 §4.4.2). */
export function isForm({ method, headers }: RecordedRequest): boolean {
  const type = headers['content-type']?.split(';')[0]?.trim()
  return method === 'POST' && type === 'application/x-www-form-urlencoded'
}
