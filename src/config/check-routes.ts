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
