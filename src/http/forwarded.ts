/**
 * What a trusted proxy says of the client's request, in `Forwarded` (RFC 7239) or `X-Forwarded-*`.
 * Of a list only the last member is read: that proxy added it, what comes before may be the
 * client's own.
 */
import { isIP } from 'node:net'
import { Denial } from '../denial.ts'
import { canonicalAuthority } from '../dpop/target.ts'
import { linesOf, listOf, type Fields } from './fields.ts'
import { plainAddress, type IsTrusted } from './trust.ts'

export interface Forwarded {
  readonly scheme?: string
  readonly authority?: string
}

/** Throws `header_invalid` or `host_invalid` where the two families are malformed or disagree. */
export function readForwarded(fields: Fields): Forwarded {
  const standard = lastElement(fields)
  const scheme = agreed(standard.get('proto'), listOf(fields, 'x-forwarded-proto').at(-1))
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https') {
    throw new Denial('header_invalid', { detail: 'forwarded protocol' })
  }
  const host = agreed(standard.get('host'), listOf(fields, 'x-forwarded-host').at(-1))
  const authority = host === undefined ? undefined : canonicalAuthority(host, scheme ?? 'http')
  if (host !== undefined && authority === undefined) {
    throw new Denial('host_invalid', { detail: 'forwarded host' })
  }
  return { ...(scheme && { scheme }), ...(authority && { authority }) }
}

/**
 * The address nearest to this gateway that is not a trusted proxy's, of `X-Forwarded-For` or, where
 * there is none, of the `for` that the peer added to `Forwarded`.
 */
export function clientAddress(fields: Fields, peer: string, isTrusted: IsTrusted): string {
  const hops = listOf(fields, 'x-forwarded-for').map(plainAddress)
  const client = hops.findLast((address) => isIP(address) === 0 || !isTrusted(address))
  return client ?? hops[0] ?? lastElement(fields).get('for') ?? peer
}

/** Two proxies in front may each write one family; a proxy that writes one may pass on the other. */
function agreed(standard: string | undefined, custom: string | undefined): string | undefined {
  const [a, b] = [standard?.toLowerCase(), custom?.toLowerCase()]
  if (a !== undefined && b !== undefined && a !== b) {
    throw new Denial('header_invalid', { detail: 'Forwarded and X-Forwarded-* disagree' })
  }
  return a ?? b
}

/** The parameters of the last element of `Forwarded` (RFC 7239 §4), names in lower case. */
function lastElement(fields: Fields): ReadonlyMap<string, string> {
  const elements = splitUnquoted(linesOf(fields, 'forwarded').join(','), ',')
  const pairs = splitUnquoted(elements.at(-1) ?? '', ';').map((pair): [string, string] => {
    const at = pair.indexOf('=')
    const value = pair.slice(at + 1).trim()
    return [pair.slice(0, Math.max(at, 0)).trim().toLowerCase(), value.replace(/^"(.*)"$/s, '$1')]
  })
  return new Map(pairs)
}

/** Parts between separators that stand outside of quotes; in time linear to the text. */
function splitUnquoted(text: string, separator: string): string[] {
  const parts: string[] = []
  let start = 0
  let isQuoted = false
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (isQuoted && character === '\\') at++
    else if (character === '"') isQuoted = !isQuoted
    else if (!isQuoted && character === separator) {
      parts.push(text.slice(start, at))
      start = at + 1
    }
  }
  return [...parts, text.slice(start)]
}
