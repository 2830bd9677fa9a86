/** What servers that do not mind RFC 9112 make of the bytes of a connection. */

export interface Leniency {
  readonly name: string
  readonly lineEnd?: RegExp
  /** Whether any Transfer-Encoding that mentions chunked counts, or none at all. */
  readonly chunked?: 'mentioned' | 'never'
  /** Which of several lengths counts, and whether it wins over chunks. */
  readonly length?: 'last' | 'wins'
  /** Methods whose body is not read. */
  readonly bodiless?: RegExp
  readonly trailers?: 'are fields'
}

// Each besides what all of them do: names trimmed, `_` and `.` taken for `-`, lines unfolded, and
// numbers read as far as they go.
export const LENIENCIES: readonly Leniency[] = [
  { name: 'none' },
  { name: 'a line feed ends a line', lineEnd: /\r?\n/ },
  { name: 'a carriage return ends a line', lineEnd: /\r\n|\r|\n/ },
  { name: 'chunked in any disguise', chunked: 'mentioned' },
  { name: 'no chunks', chunked: 'never' },
  { name: 'the last length', length: 'last' },
  { name: 'length before chunks', length: 'wins' },
  { name: 'no body of these methods', bodiless: /^(?:GET|HEAD|OPTIONS|DELETE|TRACE|PROPFIND)$/ },
  { name: 'trailers', trailers: 'are fields' },
]

export interface LenientRequest {
  readonly method: string
  readonly line: string
  readonly fields: readonly (readonly [name: string, value: string])[]
}

export function readLeniently(bytes: string, leniency: Leniency): LenientRequest[] {
  const requests: LenientRequest[] = []
  for (let rest = bytes; rest.trim() !== '';) {
    const { lines, after } = takeLines(rest, leniency)
    const [line = '', ...fieldLines] = lines
    const [method = ''] = line.split(' ')
    const fields = fieldLines.map(readField)
    const body = takeBody(after, { method, line, fields }, leniency)
    requests.push({ method, line, fields: [...fields, ...body.trailers] })
    // After this one nobody reads on, however lenient.
    if (valuesOf(fields, 'connection').some((it) => /\bclose\b/i.test(it))) break
    rest = body.after
  }
  return requests
}

/** Lines up to the empty one; empty ones in front are skipped. */
function takeLines(text: string, { lineEnd = /\r\n/ }: Leniency) {
  const lines: string[] = []
  for (let rest = text; ;) {
    const end = lineEnd.exec(rest)
    if (!end) return { lines: [...lines, rest], after: '' }
    const line = rest.slice(0, end.index)
    rest = rest.slice(end.index + end[0].length)
    if (line === '' && lines.length > 0) return { lines, after: rest }
    if (/^[ \t]/.test(line) && lines.length > 1) lines.push(`${lines.pop() ?? ''}${line}`)
    else if (line !== '') lines.push(line)
  }
}

function readField(line: string): readonly [name: string, value: string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon).trim().toLowerCase().replaceAll(/[_.]/g, '-'), line.slice(colon + 1)]
}

function valuesOf(fields: LenientRequest['fields'], name: string): string[] {
  return fields.filter(([it]) => it === name).map(([, value]) => value.trim())
}

function takeBody(text: string, { method, fields }: LenientRequest, leniency: Leniency) {
  const lengths = valuesOf(fields, 'content-length')
  const codings = valuesOf(fields, 'transfer-encoding').join()
  const length = leniency.length === 'last' ? lengths.at(-1) : lengths[0]
  const isChunked =
    leniency.chunked !== 'never' &&
    (leniency.chunked === 'mentioned' ? /chunked/i : /^chunked$/i).test(codings) &&
    !(leniency.length === 'wins' && length !== undefined)
  if (leniency.bodiless?.test(method)) return { after: text, trailers: [] }
  if (isChunked) return takeChunks(text, leniency)
  return { after: text.slice(Number.parseInt(length ?? '0') || 0), trailers: [] }
}

function takeChunks(text: string, leniency: Leniency) {
  for (let rest = text; ;) {
    const end = /\r?\n/.exec(rest)
    const size = Number.parseInt(rest, 16) || 0
    const data = end ? rest.slice(end.index + end[0].length) : ''
    if (size === 0) {
      const { lines, after } = takeLines(`\r\n${data}`, leniency)
      const none = data.startsWith('\r\n')
      const trailers = leniency.trailers && !none ? lines.map(readField) : []
      return { after: none ? data.slice(2) : after, trailers }
    }
    rest = data.slice(size).replace(/^\r?\n/, '')
  }
}
