/** The rules that join keys of one route. */
import type { DraftRoute, Placed } from './draft.ts'
import { isPrefixOf } from './path.ts'
import type { Fault, KeyPath } from './problem.ts'

const TOKEN_KEYS = ['issuers', 'scopes', 'claims', 'acr', 'maxAuthAge', 'resource'] as const

/** Keys of a route that nothing looks at, by its `access`. */
export const USELESS_KEYS = {
  public: [...TOKEN_KEYS, 'dpop', 'observe', 'debug'],
  proof: TOKEN_KEYS,
} as const

type Check = (route: DraftRoute, path: KeyPath) => readonly Fault[]

const CHECKS: readonly Check[] = [
  ({ identity }, path) => checkHeaders(identity?.headers, [...path, 'identity']),
  checkCors,
  checkUpstreamTls,
  checkStripPrefix,
  checkWebSocket,
  checkUseless,
]

export function checkRoute({ path, route }: Placed): readonly Fault[] {
  return CHECKS.flatMap((check) => check(route, path))
}

/** HTTP does not tell header names apart by case. */
export function checkHeaders(names: object | undefined, parent: KeyPath): readonly Fault[] {
  const seen = new Set<string>()
  return Object.keys(names ?? {}).flatMap((name) => {
    const isRepeated = seen.has(name.toLowerCase())
    seen.add(name.toLowerCase())
    const path = [...parent, 'headers', name]
    return isRepeated
      ? [{ path, message: 'is the same header as one above, in other case', atKey: true as const }]
      : []
  })
}

function checkCors({ cors }: DraftRoute, parent: KeyPath): readonly Fault[] {
  const path = [...parent, 'cors']
  const at = cors?.origins?.indexOf('*') ?? -1
  if (cors === undefined || at < 0) return []
  const alone = 'stands alone or not at all: with it the others say nothing'
  // Browsers refuse the two together; answered with the origin instead, any site could act with
  // the cookies of its visitors.
  const cookies = 'no cookies for pages of any origin: name the origins'
  return [
    ...(cors.origins?.length === 1 ? [] : [{ path: [...path, 'origins', at], message: alone }]),
    ...(cors.credentials === true ? [{ path: [...path, 'credentials'], message: cookies }] : []),
  ]
}

function checkUpstreamTls({ upstream, upstreamTls }: DraftRoute, path: KeyPath): readonly Fault[] {
  if (upstreamTls === undefined || !upstream?.every((url) => !url.startsWith('https:'))) return []
  const message = 'has no effect: no upstream is https'
  return [{ path: [...path, 'upstreamTls'], message, atKey: true }]
}

function checkStripPrefix({ stripPrefix, path: own }: DraftRoute, path: KeyPath): readonly Fault[] {
  if (stripPrefix === undefined || own === undefined || isPrefixOf(stripPrefix, own)) return []
  return [{ path: [...path, 'stripPrefix'], message: 'is not the beginning of path' }]
}

/** RFC 6455 §4.1: a handshake is a GET. */
function checkWebSocket({ websocket, methods }: DraftRoute, path: KeyPath): readonly Fault[] {
  if (websocket !== true || methods?.includes('GET') !== false) return []
  return [{ path: [...path, 'websocket'], message: 'has no effect: GET is not among the methods' }]
}

/** A rule that is never applied is worse than none: it reads as if it protected the route. */
function checkUseless(route: DraftRoute, path: KeyPath): readonly Fault[] {
  const { access } = route
  if (access !== 'public' && access !== 'proof') return []
  const kind = access === 'public' ? 'on a public route' : 'with access: proof'
  return USELESS_KEYS[access]
    .filter((key) => route[key] !== undefined)
    .map((key) => ({ path: [...path, key], message: `has no effect ${kind}`, atKey: true }))
}
