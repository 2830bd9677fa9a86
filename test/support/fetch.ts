/** `fetch` for clients that call the public URL of a stage, as if its name led there. */
import { request, type Header } from './raw-http.ts'
import type { RawResponse } from './raw-response.ts'

interface FetchOptions {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
}

export function createFetch(port: number) {
  return async (url: string, { method, headers }: FetchOptions): Promise<Response> => {
    const { host, pathname, search } = new URL(url)
    const fields: Header[] = [['Host', host], ...Object.entries(headers)]
    return toResponse(await request(port, { method, path: pathname + search, headers: fields }))
  }
}

/** Lines of one name become one, as they do for every caller of `fetch`. */
export function toResponse({ status, headers, body }: RawResponse): Response {
  return new Response(body, { status, headers: headers.map(([name, value]) => [name, value]) })
}
