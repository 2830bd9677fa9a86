/** Cross-origin requests from browsers: https://fetch.spec.whatwg.org/#http-cors-protocol. */
import type { OutgoingHttpHeaders } from 'node:http'
import { linesOf, type Fields } from './fields.ts'

export interface CorsRules {
  /** As browsers write them in `Origin`; or `*` alone, for any. */
  readonly origins: readonly string[]
  /** Whether pages may send cookies along. */
  readonly credentials: boolean
  readonly maxAgeSeconds: number
  /** Beside those of DPoP. */
  readonly allowHeaders: readonly string[]
  /** Beside those of DPoP. */
  readonly exposeHeaders: readonly string[]
  /** Those of the route: what a page may do elsewhere on the same path is not said here. */
  readonly methods: Iterable<string> | undefined
}

/** Names in lower case. */
export type CorsFields = Readonly<Record<string, string>>

/** What a route lets pages of other origins do. */
export interface Cors {
  /** For the answer to a preflight that asks for this method; `fields` are those of the request. */
  readonly preflight: (fields: Fields, method: string) => CorsFields
  /** For every other answer, a refusal no less: it is all a page gets to see of it. */
  readonly answer: (fields: Fields) => CorsFields
}

const USUAL_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']
/** Without these no page could send a proof, or the JSON most requests have. */
const ALLOWED = ['Authorization', 'DPoP', 'Content-Type']
/** RFC 9449 §7.1, §8: without these no page could see what is wrong, or take up a nonce. */
const EXPOSED = ['DPoP-Nonce', 'WWW-Authenticate']

export function createCors(rules: CorsRules): Cors {
  const { credentials, maxAgeSeconds, allowHeaders, exposeHeaders } = rules
  const methods = new Set(rules.methods ?? USUAL_METHODS)
  const cookies = credentials ? { 'access-control-allow-credentials': 'true' } : {}
  const preflights = perOrigin(rules, {
    ...cookies,
    'access-control-allow-methods': [...methods].join(', '),
    'access-control-allow-headers': distinct([...ALLOWED, ...allowHeaders]),
    'access-control-max-age': String(maxAgeSeconds),
  })
  const answers = perOrigin(rules, {
    ...cookies,
    'access-control-expose-headers': distinct([...EXPOSED, ...exposeHeaders]),
  })
  // Which route answers a preflight, and with it how, depends on the method it asks for.
  const vary = { vary: 'Origin, Access-Control-Request-Method' }
  return {
    preflight: (fields, method) => ({ ...(methods.has(method) && preflights(fields)), ...vary }),
    answer: answers,
  }
}

/** What an origin is told is worked out once; of one that is not allowed it is nothing. */
function perOrigin({ origins }: CorsRules, allowed: CorsFields): (fields: Fields) => CorsFields {
  if (origins.includes('*')) {
    const forAll = { 'access-control-allow-origin': '*', ...allowed }
    return () => forAll
  }
  const vary = { vary: 'Origin' }
  const known = new Map(
    origins.map((it) => [it, { 'access-control-allow-origin': it, ...allowed, ...vary }]),
  )
  return (fields) => known.get(originOf(fields) ?? '') ?? vary
}

/** The method a preflight asks for; undefined where the request is none. */
export function preflightedMethod(method: string, fields: Fields): string | undefined {
  if (method !== 'OPTIONS' || originOf(fields) === undefined) return undefined
  return only(linesOf(fields, 'access-control-request-method'))
}

function originOf(fields: Fields): string | undefined {
  return only(linesOf(fields, 'origin'))
}

function only(lines: readonly string[]): string | undefined {
  return lines.length === 1 ? lines[0] : undefined
}

/** The gateway alone says which pages may read an answer: two voices would contradict each other. */
export function withCors(headers: OutgoingHttpHeaders, fields: CorsFields): OutgoingHttpHeaders {
  const kept: OutgoingHttpHeaders = {}
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith('access-control-')) kept[name] = value
  }
  return Object.assign(kept, fields, joinVary(headers.vary, fields['vary']))
}

/** RFC 9110 §12.5.5: what the upstream varies by holds still. Its lines may be several. */
function joinVary(theirs: string | readonly string[] | undefined, ours: string | undefined) {
  if (theirs === undefined || ours === undefined) return undefined
  const names = String(theirs)
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  return { vary: names.includes('*') ? '*' : distinct([...names, ours]) }
}

/** HTTP does not tell field names apart by case. */
function distinct(names: readonly string[]): string {
  return [...new Map(names.map((name) => [name.toLowerCase(), name])).values()].join(', ')
}
