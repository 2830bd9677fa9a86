/**
 * The rules that join several keys. They run over whatever is well-formed, so that a mistake in one
 * place hides none in another; a key that is not well-formed is reported by the schema.
 */

import { z } from 'zod'
import { isPrefixOf, shapeOf } from './path.ts'
import type { Fault, KeyPath } from './problem.ts'
import { Route } from './route-schema.ts'
import { suggestion } from './suggestion.ts'
import { findUrlFault, isExposed } from './url.ts'

/** The keys of a route that say who gets through. */
export const ROUTE_PROTECTIONS = ['issuers', 'scopes', 'claims', 'dpop'] as const

const lenient = <Schema extends z.ZodType>(schema: Schema) => schema.optional().catch(undefined)
const anything = z.unknown().optional()
const lenientText = lenient(z.string())
const webUrl = lenient(z.string().refine((value) => findUrlFault(value) === undefined))
const headers = z.object({ headers: lenient(z.record(z.string(), z.unknown())) })

const Draft = z.object({
  issuers: lenient(
    z.record(
      z.string(),
      lenient(z.object({ issuer: webUrl, jwksUri: webUrl, allowHttp: anything })),
    ),
  ),
  replay: lenient(z.object({ store: lenientText, url: anything })),
  identity: lenient(headers),
  routes: lenient(
    z.array(
      lenient(
        z.object({
          name: lenient(Route.shape.name),
          host: lenient(Route.shape.host),
          path: lenient(Route.shape.path),
          methods: lenient(Route.shape.methods),
          stripPrefix: lenient(Route.shape.stripPrefix),
          access: lenientText,
          issuers: lenient(z.array(z.unknown())),
          identity: lenient(headers),
          scopes: anything,
          claims: anything,
          dpop: anything,
        }),
      ),
    ),
  ),
})

type Draft = z.output<typeof Draft>
type DraftRoute = NonNullable<NonNullable<Draft['routes']>[number]>
interface Placed {
  readonly path: KeyPath
  readonly route: DraftRoute
}

export function crossCheck(value: unknown): readonly Fault[] {
  const draft = lenient(Draft).parse(value) ?? {}
  const routes = (draft.routes ?? []).flatMap((route, index) =>
    route === undefined ? [] : [{ path: ['routes', index], route }],
  )
  return [
    ...checkIssuers(draft),
    ...checkReplay(draft),
    ...checkHeaders(draft.identity?.headers, ['identity']),
    ...checkIssuersExist(draft, routes),
    ...checkNames(routes),
    ...checkOverlaps(routes),
    ...routes.flatMap(checkRoute),
  ]
}

function checkIssuers({ issuers = {} }: Draft): readonly Fault[] {
  const names = new Map<string, string>()
  return Object.entries(issuers).flatMap(([name, issuer]) => {
    if (issuer === undefined) return []
    const faults: Fault[] = []
    for (const key of ['issuer', 'jwksUri'] as const) {
      const url = issuer[key]
      if (url === undefined || !isExposed(url) || issuer.allowHttp === true) continue
      const message = 'must be https: over http anybody on the way can forge tokens (see allowHttp)'
      faults.push({ path: ['issuers', name, key], message })
    }
    const twin = names.get(issuer.issuer ?? '')
    if (twin !== undefined) {
      const message = `is the issuer of issuers.${twin} already`
      faults.push({ path: ['issuers', name, 'issuer'], message })
    }
    if (issuer.issuer !== undefined) names.set(issuer.issuer, name)
    return faults
  })
}

function checkReplay({ replay }: Draft): readonly Fault[] {
  if (replay?.store !== 'redis' || replay.url !== undefined) return []
  return [{ path: ['replay', 'url'], message: 'this key is required with store: redis' }]
}

/** HTTP does not tell header names apart by case. */
function checkHeaders(names: object | undefined, parent: KeyPath): readonly Fault[] {
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
  const closed = routes.find(({ route }) => route.access !== 'public')
  if (known.length === 0 && closed !== undefined) {
    const message = 'at least one is needed, unless every route is public'
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

function checkRoute({ path, route }: Placed): readonly Fault[] {
  const faults = [...checkHeaders(route.identity?.headers, [...path, 'identity'])]
  const { stripPrefix } = route
  if (
    stripPrefix !== undefined &&
    route.path !== undefined &&
    !isPrefixOf(stripPrefix, route.path)
  ) {
    faults.push({ path: [...path, 'stripPrefix'], message: 'is not the beginning of path' })
  }
  if (route.access !== 'public') return faults
  // A rule that is never applied is worse than none: it reads as if it protected the route.
  for (const key of ROUTE_PROTECTIONS) {
    if (route[key] === undefined) continue
    const message = 'has no effect on a public route'
    faults.push({ path: [...path, key], message, atKey: true })
  }
  return faults
}
