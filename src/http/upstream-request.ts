/**
 * The request as the upstream sees it. What the client may say stays, what only the gateway may say
 * is taken out on every route and then set: an upstream can believe every field named here.
 */
import type { Grant } from '../gate.ts'
import { linesOf, listOf, type Fields } from './fields.ts'
import { HOP_BY_HOP, nominated } from './hop-by-hop.ts'
import { identityFields } from './identity.ts'
import type { OriginalRequest } from './original-request.ts'
import type { Route } from './route.ts'

/**
 * Never passed on: credentials, what the gateway sets itself, and what makes some servers answer
 * for another method or URL than the one that was authorized.
 */
const DROPPED: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  'authorization',
  'dpop',
  'host',
  'expect', // Answered here: RFC 9110 §10.1.1 lets the next hop not see it.
  'forwarded',
  'via', // Set below, with what came in.
  'proxy', // CGI hands it on as HTTP_PROXY (CVE-2016-5385).
  'x-real-ip',
  'x-request-id',
  'x-original-url',
  'x-original-uri',
  'x-original-method',
  'x-original-host',
  'x-original-forwarded-for',
  'x-forwarded',
  'x-host',
  'client-ip',
  'true-client-ip',
  'x-rewrite-url',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
])

/** A name with any other character is an alias: `X_User` reaches many servers as `X-User`. */
const PLAIN_NAME = /^[a-z0-9-]+$/

/** Names of the fields that carry an identity on any route, in lower case. */
export type IdentityNames = ReadonlySet<string>

/** Field lines, name and value in turn. `host` is the upstream's own authority. */
export function upstreamFields(
  request: OriginalRequest,
  route: Route,
  grant: Grant | undefined,
  { identityNames, requestId }: { identityNames: IdentityNames; requestId: string },
): string[] {
  const { fields, peer, scheme, authority, isPeerTrusted } = request
  const hopByHop = nominated(linesOf(fields, 'connection'))
  const lines: string[] = []
  for (const [at, name] of fields.names.entries()) {
    const isPassedOn =
      !DROPPED.has(name) &&
      !hopByHop.has(name) &&
      !identityNames.has(name) &&
      !name.startsWith('x-forwarded-') &&
      PLAIN_NAME.test(name)
    if (isPassedOn) lines.push(name, fields.values[at] ?? '')
  }
  // Only now, so that nothing a client names in Connection can take out what is set here.
  const hops = isPeerTrusted ? listOf(fields, 'x-forwarded-for') : []
  lines.push('x-forwarded-for', [...hops, peer].join(', '))
  lines.push('x-forwarded-proto', scheme, 'x-forwarded-host', authority)
  lines.push('via', [...linesOf(fields, 'via'), '1.1 dpop-gateway'].join(', '))
  lines.push('x-request-id', requestId)
  lines.push(...authorizationFields(fields, route, grant))
  if (grant) lines.push(...identityFields(grant, route.identity))
  if (route.access === 'proof') lines.push(...linesOf(fields, 'dpop').flatMap((it) => ['dpop', it]))
  return lines
}

/** The path below the upstream's base path, with the query. */
export function upstreamPath(
  { path, query }: OriginalRequest,
  { stripPrefix }: Route,
  basePath: string,
): string {
  const rest = stripPrefix === undefined ? path : path.slice(stripPrefix.length)
  const joined = basePath + (rest.startsWith('/') ? rest : `/${rest}`)
  return query === '' ? joined : `${joined}?${query}`
}

/**
 * On a public route nobody has looked at it: it goes on as it is or not at all, and a DPoP token never,
 * for what is behind may take it for one that was proven. Where the gateway only observes, what is
 * behind decides by itself. At a token endpoint it says which client asks.
 */
function authorizationFields(
  fields: Fields,
  { identity: { token }, access, observe }: Route,
  grant: Grant | undefined,
): string[] {
  const values = linesOf(fields, 'authorization')
  const asReceived = () => values.flatMap((value) => ['authorization', value])
  if (access === 'proof') return values.some((it) => DPOP_SCHEME.test(it)) ? [] : asReceived()
  if (token === 'drop') return []
  if (observe && !grant) return asReceived()
  const [value] = values
  if (value === undefined || (!grant && (token === 'bearer' || DPOP_SCHEME.test(value)))) return []
  return ['authorization', token === 'keep' ? value : value.replace(/^dpop(?= )/i, 'Bearer')]
}

const DPOP_SCHEME = /^dpop\b/i
