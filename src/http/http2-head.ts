/**
 * The head of an HTTP/2 request in the terms of HTTP/1.1, so that one reader judges both (RFC 9113
 * §8.2 and §8.3). nghttp2 has refused most of what is malformed; nothing here relies on it.
 */
import { METHODS } from 'node:http'
import { Denial } from '../denial.ts'
import type { Message } from './message.ts'

const PSEUDO = new Set([':method', ':scheme', ':authority', ':path'])
/** §8.2.2: in HTTP/2 they mean nothing, so whoever goes by them reads another request. */
const CONNECTION_SPECIFIC = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/
const VALUE = /^(?![ \t])[\t\x20-\x7e\x80-\xff]*(?<![ \t])$/
const KNOWN_METHODS: ReadonlySet<string> = new Set(METHODS)

/**
 * Field lines, name and value in turn, with a Host and where there is a body its framing. Throws
 * `header_invalid`, `path_invalid` or `method_unknown`.
 */
export function readHttp2Head({ rawHeaders, complete }: Message): string[] {
  const pseudo = new Map<string, string>()
  const lines: string[] = []
  const crumbs: string[] = []
  let hasLength = false
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = [rawHeaders[at], rawHeaders[at + 1]]
    if (name.startsWith(':')) {
      // §8.3: those that are defined, each once, and all before the fields.
      if (!PSEUDO.has(name) || pseudo.has(name) || lines.length + crumbs.length > 0) {
        throw malformed('pseudo-header fields')
      }
      pseudo.set(name, value)
      continue
    }
    requireField(name, value)
    hasLength ||= name === 'content-length'
    if (name === 'cookie') crumbs.push(value)
    else lines.push(name, value)
  }
  requirePseudo(pseudo)
  // §8.2.3: split for compression alone; elsewhere there is one line of it.
  if (crumbs.length > 0) lines.push('cookie', crumbs.join('; '))
  // §8.1: a body ends with its stream, and needs no length.
  if (!complete && !hasLength) lines.push('transfer-encoding', 'chunked')
  return withHost(lines, pseudo.get(':authority'))
}

function requireField(name: string, value: string): void {
  const isOdd = !NAME.test(name) || !VALUE.test(value)
  const isTe = name === 'te' && value.toLowerCase() !== 'trailers'
  if (isOdd || isTe || CONNECTION_SPECIFIC.has(name)) throw malformed('a field of HTTP/2')
}

function requirePseudo(pseudo: ReadonlyMap<string, string>): void {
  const method = pseudo.get(':method') ?? ''
  // As in HTTP/1.1, where it is answered before there is a request: see server.ts.
  if (method === 'CONNECT') throw new Denial('method_unknown', { headers: { Allow: '' } })
  // What the parser of HTTP/1.1 does not know gets no further there either.
  if (!KNOWN_METHODS.has(method)) throw malformed('method')
  if (pseudo.get(':scheme')?.toLowerCase() !== 'https') throw malformed(':scheme')
  if (pseudo.get(':path')?.startsWith('/') !== true) throw new Denial('path_invalid')
}

/** §8.3.1: they say the same. Two that differ stay two lines, which no reader of Host lets pass. */
function withHost(lines: string[], authority: string | undefined): string[] {
  if (authority === undefined) return lines
  const at = lines.findIndex((name, index) => index % 2 === 0 && name === 'host')
  if (at >= 0 && lines[at + 1] === authority) return lines
  return ['host', authority, ...lines]
}

function malformed(detail: string): Denial {
  return new Denial('header_invalid', { detail })
}
