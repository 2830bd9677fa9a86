/** One HTTP/1.1 response out of the bytes received so far (RFC 9112 §6.3). */

export interface RawResponse {
  readonly status: number
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** The values of all header lines of this name, whatever its case. */
  readonly values: (name: string) => readonly string[]
  /** Without the framing of chunks. */
  readonly body: string
  /** Whether the framing says the body is complete; false where the connection was cut. */
  readonly complete: boolean
  /** The bytes of this response, as latin1. */
  readonly raw: string
  readonly length: number
}

interface Body {
  readonly text: Buffer
  /** Index of the first byte after the body. */
  readonly end: number
  readonly complete: boolean
}

interface State {
  /** Whether it answers HEAD. */
  readonly head: boolean
  /** Whether no more bytes will come. */
  readonly ended: boolean
}

/** Undefined while more bytes are to come. Interim responses are skipped, but counted in `raw`. */
export function readResponse(received: Buffer, state: State): RawResponse | undefined {
  let start = 0
  for (;;) {
    const end = received.indexOf('\r\n\r\n', start)
    if (end < 0) {
      if (!state.ended) return undefined
      const text = received.toString('latin1')
      throw new Error(`the connection closed before a response: ${JSON.stringify(text)}`)
    }
    const [statusLine = '', ...lines] = received.toString('latin1', start, end).split('\r\n')
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(statusLine)?.[1])
    start = end + 4
    // 101 is final: what follows is not HTTP any more (RFC 9110 §15.2.2).
    if (status >= 100 && status < 200 && status !== 101) continue
    const headers = lines.map(readHeader)
    const values = (name: string) =>
      headers.filter(([other]) => other.toLowerCase() === name.toLowerCase()).map(([, v]) => v)
    const hasNoBody = state.head || status === 101 || status === 204 || status === 304
    const body = hasNoBody
      ? { text: Buffer.alloc(0), end: start, complete: true }
      : readBody(received, start, values, state.ended)
    if (!body) return undefined
    return {
      status,
      headers,
      values,
      body: body.text.toString(),
      complete: body.complete,
      raw: received.toString('latin1', 0, body.end),
      length: body.end,
    }
  }
}

function readHeader(line: string): readonly [string, string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon), line.slice(colon + 1).trim()]
}

function readBody(
  received: Buffer,
  start: number,
  values: (name: string) => readonly string[],
  ended: boolean,
): Body | undefined {
  const cut = { text: received.subarray(start), end: received.length, complete: false }
  if (/\bchunked$/i.test(values('transfer-encoding').at(-1) ?? '')) {
    return readChunks(received, start) ?? (ended ? cut : undefined)
  }
  const length = values('content-length')[0]
  if (length === undefined) return ended ? { ...cut, complete: true } : undefined
  const end = start + Number(length)
  if (received.length < end) return ended ? cut : undefined
  return { text: received.subarray(start, end), end, complete: true }
}

function readChunks(received: Buffer, start: number): Body | undefined {
  const chunks: Buffer[] = []
  let at = start
  for (;;) {
    const lineEnd = received.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const size = Number.parseInt(received.toString('latin1', at, lineEnd), 16)
    if (size === 0) {
      // Trailers, if any, end like a header section; without them the empty line comes at once.
      const end = received.indexOf('\r\n\r\n', lineEnd)
      return end < 0 ? undefined : { text: Buffer.concat(chunks), end: end + 4, complete: true }
    }
    const dataEnd = lineEnd + 2 + size
    if (received.length < dataEnd + 2) return undefined
    chunks.push(received.subarray(lineEnd + 2, dataEnd))
    at = dataEnd + 2
  }
}
