/**
 * The header fields of a request as they came in. Node joins two DPoP lines into one and keeps the
 * first of two Authorization or Host lines, so everything that matters is read from `rawHeaders`.
 */

export interface Fields {
  /** Names in lower case, values as sent, in order. */
  readonly names: readonly string[]
  readonly values: readonly string[]
}

export function readFields(rawHeaders: readonly string[]): Fields {
  const names: string[] = []
  const values: string[] = []
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    names.push((rawHeaders[at] ?? '').toLowerCase())
    values.push(rawHeaders[at + 1] ?? '')
  }
  return { names, values }
}

const NONE: readonly string[] = []

/** Every line of one field. `name` is in lower case. */
export function linesOf({ names, values }: Fields, name: string): readonly string[] {
  let at = names.indexOf(name)
  if (at < 0) return NONE
  const lines: string[] = []
  for (; at >= 0; at = names.indexOf(name, at + 1)) lines.push(values[at] ?? '')
  return lines
}

/** The members of a comma-separated field over all its lines, trimmed, without empty ones. */
export function listOf(fields: Fields, name: string): readonly string[] {
  const lines = linesOf(fields, name)
  if (lines.length === 0) return NONE
  return lines
    .join(',')
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '')
}
