/**
 * The elements of one `Forwarded` line (RFC 7239 §4). A quote that a client leaves open would take
 * in what the proxy has put behind it, so a line is either understood as a whole or not at all.
 */

/** Parameters, names in lower case. */
export type Element = ReadonlyMap<string, string>

// Without quotes more is taken than a token, as proxies write `for=[::1]` or `host=a:80` in practice.
const PAIR = /[ \t]*(?:([\w!#$%&'*+.^`|~-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s",;=]*)))?[ \t]*(;|,|$)/y

/** Undefined where the line is malformed. */
export function readElements(line: string): readonly Element[] | undefined {
  const elements: Element[] = []
  let element = new Map<string, string>()
  const pair = new RegExp(PAIR)
  for (;;) {
    const match = pair.exec(line)
    if (!match) return undefined
    const [, name, quoted, plain = '', separator] = match
    if (name !== undefined) {
      if (element.has(name.toLowerCase())) return undefined // RFC 7239 §4: at most once.
      element.set(name.toLowerCase(), quoted?.replaceAll(/\\(.)/g, '$1') ?? plain)
    }
    if (separator === ';') continue
    if (element.size > 0) elements.push(element)
    if (separator === '') return elements
    element = new Map()
  }
}
