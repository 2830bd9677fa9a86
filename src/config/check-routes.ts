/** The rules that join routes with each other, and with issuers. */
import { checkRoute } from './check-route.ts'
import type { Draft, DraftRoute, Placed } from './draft.ts'
import { shapeOf } from './path.ts'
import type { Fault } from './problem.ts'
import { suggestion } from './suggestion.ts'

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
  const seen = new Set<string>()
  return routes.flatMap(({ path, route: { name } }) => {
    const isRepeated = name !== undefined && seen.has(name)
    if (name !== undefined) seen.add(name)
    if (!isRepeated) return []
    return [{ path: [...path, 'name'], message: 'another route above has this name' }]
  })
}

function checkOverlaps(routes: readonly Placed[]): readonly Fault[] {
  /** By what they have in common where they match the same requests. */
  const earlier = new Map<string, DraftRoute[]>()
  return routes.flatMap(({ path, route }) => {
    if (route.path === undefined) return []
    const place = `${route.host ?? ''} ${shapeOf(route.path)}`
    const others = earlier.get(place) ?? []
    const twin = others.find((other) => shareMethod(other, route))
    earlier.set(place, [...others, route])
    if (twin === undefined) return []
    const name = twin.name ?? 'a route above'
    return [{ path: [...path, 'path'], message: `${name} already takes these requests` }]
  })
}

function shareMethod({ methods: some }: DraftRoute, { methods: others }: DraftRoute): boolean {
  return some === undefined || others === undefined || some.some((it) => others.includes(it))
}
