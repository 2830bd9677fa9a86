/**
 * Finds the route of a request. The path is compared byte for byte, as it will be forwarded; where
 * a more lenient server behind the gateway could read it as a path of another route, it is refused.
 */
import createRouter, { type HTTPMethod } from 'find-my-way'
import { Denial } from '../denial.ts'
import type { Route } from './route.ts'

export interface Routes {
  /**
   * `host` is in lower case and without port. Throws `route_unknown`, `method_unknown` or
   * `path_invalid`.
   */
  find(method: string, host: string, path: string): Route
}

// All methods share one tree; which route of a place takes the method is looked at afterwards.
const ANY: HTTPMethod = 'GET'
const NO_QUERY = {}

export function createRoutes(routes: readonly Route[]): Routes {
  const tree = createRouter({ maxParamLength: 65_536, querystringParser: () => NO_QUERY })
  for (const place of groupByPlace(routes)) {
    const [{ host, path }] = place
    const constraints = host === undefined ? {} : { host }
    tree.on(ANY, literal(path), { constraints }, noHandler, place)
  }
  const lookUp = (host: string, path: string) =>
    tree.find(ANY, literal(path), { host })?.store as Place | undefined

  return {
    find(method, host, path) {
      const place = lookUp(host, path)
      const loose = looseForm(path)
      if (loose !== path && lookUp(host, loose) !== place) throw new Denial('path_invalid')
      if (!place) throw new Denial('route_unknown')
      const route = place.find(({ methods }) => !methods || methods.has(method))
      if (!route) throw new Denial('method_unknown', { headers: { Allow: allow(place) } })
      return route
    },
  }
}

/** The routes of one host and path: each method has one at most. */
type Place = [Route, ...Route[]]

function groupByPlace(routes: readonly Route[]): Iterable<Place> {
  const places = new Map<string, Place>()
  for (const route of routes) {
    const shape = `${route.host ?? ''} ${route.path.replaceAll(/:[^/]+/g, ':')}`
    const place = places.get(shape)
    if (place) place.push(route)
    else places.set(shape, [route])
  }
  return places.values()
}

function allow(place: Place): string {
  return [...new Set(place.flatMap(({ methods }) => [...(methods ?? [])]))].join(', ')
}

/** find-my-way decodes percent-encoding; without a percent sign there is none to decode. */
function literal(path: string): string {
  return path.replaceAll('%', '\\')
}

/** The path as a server reads it that decodes it wholly, merges slashes and drops parameters. */
function looseForm(path: string): string {
  if (!/%|\/\/|;/.test(path)) return path
  return path
    .replaceAll(/%([\dA-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
    .replaceAll('\\', '/')
    .replaceAll(/;[^/]*/g, '')
    .replaceAll(/\/{2,}/g, '/')
}

function noHandler(): void {
  // The tree is only asked for what it stores.
}
