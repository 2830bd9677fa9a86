/**
 * Finds the route of a request. The path is compared byte for byte, as it will be forwarded; where
 * a more lenient server behind the gateway could read it as a path of another route, it is refused.
 */
import createRouter, { type HTTPMethod } from 'find-my-way'
import { Denial } from '../denial.ts'
import type { Route } from './route.ts'

export interface Routes {
  /**
   * `host` is in lower case and without port. A preflight is for the route that takes the method it
   * asks for, if that one answers preflights. Throws `route_unknown`, `method_unknown` or
   * `path_invalid`.
   */
  find(method: string, host: string, path: string, preflighted?: string): Route
}

export function createRoutes(routes: readonly Route[]): Routes {
  const exactly = createLookup(routes, (segment) => segment)
  const leniently = createLookup(routes, lenientForm)
  const areLenient = routes.every(({ path }) => lenientPattern(path) === path)
  return {
    find(method, host, path, preflighted) {
      const place = exactly(host, path)
      const [first] = place
      if (!first) throw new Denial('route_unknown')
      const lenient = lenientForm(path)
      const isAsWritten = areLenient && lenient === path
      if (!isAsWritten && !leniently(host, lenient).includes(first)) {
        throw new Denial('path_invalid', { detail: 'could be read as a path of another route' })
      }
      const route =
        place.find((it) => it.cors && preflighted !== undefined && takes(it, preflighted)) ??
        place.find((it) => takes(it, method))
      // RFC 9110 §15.5.6: what the route does take comes with the answer.
      if (!route) throw new Denial('method_unknown', { headers: { Allow: allow(place) } })
      // What is left must not begin like a reference to another host either.
      if (route.stripPrefix !== undefined && path.startsWith('//', route.stripPrefix.length)) {
        throw new Denial('path_invalid', { detail: 'behind stripPrefix' })
      }
      return route
    },
  }
}

/** A request that is sent back to its sender would show what the gateway adds to it. */
function takes({ methods }: Route, method: string): boolean {
  return methods ? methods.has(method) : method !== 'TRACE'
}

const USUAL_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

function allow(place: readonly Route[]): string {
  return [...new Set(place.flatMap(({ methods }) => [...(methods ?? USUAL_METHODS)]))].join(', ')
}

/** The routes of the place that a path of a host leads to; none where there is no such place. */
type Lookup = (host: string, path: string) => readonly Route[]

const NOWHERE: readonly Route[] = []
const NO_QUERY = {}
// All methods share one tree; which route of a place takes the method is looked at afterwards.
const ANY: HTTPMethod = 'GET'

/** `write` brings the fixed segments of the routes to the form that paths are looked up in. */
function createLookup(routes: readonly Route[], write: (segment: string) => string): Lookup {
  const tree = createRouter({ maxParamLength: 65_536, querystringParser: () => NO_QUERY })
  const places = new Map<string, Route[]>()
  for (const route of routes) {
    const pattern = patternOf(route.path, write)
    const key = `${route.host ?? ''} ${pattern}`
    const place = places.get(key)
    if (place) {
      place.push(route)
      continue
    }
    const created = [route]
    places.set(key, created)
    const constraints = route.host === undefined ? {} : { host: route.host }
    tree.on(ANY, pattern, { constraints }, noHandler, created)
  }
  return (host, path) =>
    (tree.find(ANY, literal(path), { host })?.store as readonly Route[] | undefined) ?? NOWHERE
}

function patternOf(path: string, write: (segment: string) => string): string {
  return path
    .split('/')
    .map((segment, at) => {
      if (segment.startsWith(':')) return `:${at}`
      return segment === '*' ? segment : literal(write(segment))
    })
    .join('/')
}

/** Names of parameters are as they are written. */
function lenientPattern(path: string): string {
  return path
    .split('/')
    .map((segment) => (segment.startsWith(':') ? segment : lenientForm(segment)))
    .join('/')
}

/** Without what means something to find-my-way. A canonical path holds no backslash. */
function literal(text: string): string {
  return text.replaceAll(/[%:*?#()]/g, (character) => `\\${character.charCodeAt(0)}\\`)
}

/**
 * The path as a server reads it that decodes it wholly, merges slashes, drops parameters and does
 * not tell upper from lower case.
 */
function lenientForm(path: string): string {
  if (!/[%;A-Z]|\/\//.test(path)) return path
  const bytes = path.replaceAll(/%([\dA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  )
  return Buffer.from(bytes, 'latin1')
    .toString()
    .replaceAll('\\', '/')
    .replace(/[?#].*$/s, '')
    .replaceAll(/;[^/]*/g, '')
    .replaceAll(/\/{2,}/g, '/')
    .toLowerCase()
}

function noHandler(): void {
  // The tree is only asked for what it stores.
}
