/** The rules that join keys of the routes. */
import type { Draft, DraftRoute, Placed } from './draft.ts'
import { isPrefixOf, shapeOf } from './path.ts'
import type { Fault, KeyPath } from './problem.ts'
import { suggestion } from './suggestion.ts'

const TOKEN_KEYS = ['issuers', 'scopes', 'claims', 'acr', 'maxAuthAge', 'resource'] as const

/** Keys of a route that nothing looks at, by its `access`. */
export const USELESS_KEYS = {
  public: [...TOKEN_KEYS, 'dpop', 'observe', 'debug'],
  proof: TOKEN_KEYS,
} as const

function takesTokens({ access }: DraftRoute): boolean {
  return access !== 'public' && access !== 'proof'
}

export function checkRoutes(draft: Draft): readonly Fault[] {
  const routes = (draft.routes ?? []).flatMap((route, index) =>
    route === undefined ? [] : [{ path: ['routes', index], route }],
  )
  return [
    ...checkIssuersExist(draft, routes),
    ...checkIntrospected(draft, routes),
    ...checkNames(routes),
    ...checkOverlaps(routes),
    ...routes.flatMap(checkRoute),
  ]
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

function checkIssuersExist({ issuers = {} }: Draft, routes: readonly Placed[]): readonly Fault[] {
  const known = Object.keys(issuers)
  const closed = routes.find(({ route }) => takesTokens(route))
  if (known.length === 0 && closed !== undefined) {
    const message = 'at least one is needed, unless every route does without tokens'
    return [{ path: ['issuers'], message, atKey: true }]
  }
  return routes.flatMap(({ path, route }) =>
    (route.issuers ?? []).flatMap((name, index) => {
      if (typeof name !== 'string' || known.includes(name)) return []
      const message = `there is no such issuer${suggestion(name, known)}`
      return [{ path: [...path, 'issuers', index], message }]
    }),
  )
}

/** An opaque token does not say who issued it. */
function checkIntrospected({ issuers = {} }: Draft, routes: readonly Placed[]): readonly Fault[] {
  const asked = Object.keys(issuers).filter((name) => issuers[name]?.introspection !== undefined)
  return routes.flatMap(({ path, route }) => {
    const taken = asked.filter((name) => route.issuers?.includes(name) ?? true)
    if (!takesTokens(route) || taken.length < 2) return []
    const message =
      `more than one has introspection (${taken.join(', ')}): of a token that is no JWT nobody ` +
      'could say which to ask'
    return [{ path: [...path, 'issuers'], message, atKey: true }]
  })
}

function checkNames(routes: readonly Placed[]): readonly Fault[] {
  return routes.flatMap(({ path, route: { name } }, index) => {
    if (name === undefined) return []
    const first = routes.findIndex(({ route }) => route.name === name)
    if (first === index) return []
    return [{ path: [...path, 'name'], message: 'another route above has this name' }]
  })
}

function checkOverlaps(routes: readonly Placed[]): readonly Fault[] {
  return routes.flatMap(({ path, route }, index) => {
    const twin = routes.slice(0, index).find((earlier) => matchesSame(earlier.route, route))
    if (twin === undefined) return []
    const name = twin.route.name ?? 'a route above'
    return [{ path: [...path, 'path'], message: `${name} already takes these requests` }]
  })
}

function matchesSame(a: DraftRoute, b: DraftRoute): boolean {
  if (a.path === undefined || b.path === undefined) return false
  if (a.host !== b.host || shapeOf(a.path) !== shapeOf(b.path)) return false
  const { methods } = b
  return (
    a.methods === undefined || methods === undefined || a.methods.some((m) => methods.includes(m))
  )
}

function checkCors({ cors }: DraftRoute, path: KeyPath): readonly Fault[] {
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

function checkRoute({ path, route }: Placed): readonly Fault[] {
  const faults = [
    ...checkHeaders(route.identity?.headers, [...path, 'identity']),
    ...checkCors(route, [...path, 'cors']),
  ]
  const { stripPrefix } = route
  if (
    stripPrefix !== undefined &&
    route.path !== undefined &&
    !isPrefixOf(stripPrefix, route.path)
  ) {
    faults.push({ path: [...path, 'stripPrefix'], message: 'is not the beginning of path' })
  }
  const { access } = route
  if (access !== 'public' && access !== 'proof') return faults
  // A rule that is never applied is worse than none: it reads as if it protected the route.
  for (const key of USELESS_KEYS[access]) {
    if (route[key] === undefined) continue
    const kind = access === 'public' ? 'on a public route' : 'with access: proof'
    faults.push({ path: [...path, key], message: `has no effect ${kind}`, atKey: true })
  }
  return faults
}
