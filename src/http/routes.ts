/**
 * Finds the route of a request. The path is compared byte for byte, as it will be forwarded; where
 * a more lenient server behind the gateway could read it as a path of another route, it is refused.
 */
import createRouter, { type HTTPMethod } from 'find-my-way'
import { Denial } from '../denial.ts'
import {
  isPlain,
  readingsOf,
  SEGMENT_READINGS,
  withSlashToggled,
  type Readings,
} from './reading.ts'
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
  const arePlain = routes.every(({ path }) => isPlain(fixedPart(path)))
  const createShared = shareLookups(routes)
  const exactly = createShared((segment) => segment)
  const asOthersDo = lenientLookup(SEGMENT_READINGS.map(createShared))
  const requireOneReading = (found: Route, host: string, readings: Readings) => {
    const isOther = (place: readonly Route[]) => !place.includes(found)
    // Express does not tell `/a/` from `/a`: what all may see must not hide what they may not.
    const isHidden = () => asOthersDo(host, withSlashToggled(readings)).some(isGuarded)
    if (asOthersDo(host, readings).some(isOther) || (isOpenToAll(found) && isHidden())) {
      throw new Denial('path_invalid', { detail: 'could be read as a path of another route' })
    }
  }
  return {
    find(method, host, path, preflighted) {
      // A dot at its end is no part of a name: `a.example.` is `a.example` (RFC 1034 §3.1).
      const name = host.endsWith('.') ? host.slice(0, -1) : host
      const place = exactly(name, path)
      const [first] = place
      if (!first) throw new Denial('route_unknown')
      const mayBeMisread = !(arePlain && isPlain(path)) || isOpenToAll(first)
      if (mayBeMisread) requireOneReading(first, name, readingsOf(path))
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

/** Lets everybody in, and was not written for this very path. */
function isOpenToAll({ gate, path }: Route): boolean {
  return gate === undefined && path.endsWith('*')
}

function isGuarded(place: readonly Route[]): boolean {
  return place.some(({ gate }) => gate !== undefined)
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

/**
 * `write` brings the fixed segments of the routes to the form that paths are looked up in. Few
 * configurations have paths of which each manner makes something else: those of one form share a
 * tree, as the trees are most of what routes cost in memory and at start.
 */
function shareLookups(routes: readonly Route[]) {
  const known = new Map<string, Lookup>()
  return (write: (segment: string) => string): Lookup => {
    const patterns = routes.map(({ path }) => patternOf(path, write))
    const key = patterns.join('\n')
    const lookup = known.get(key) ?? createLookup(routes, patterns)
    known.set(key, lookup)
    return lookup
  }
}

/** `patterns` are those of the routes, in their order. */
function createLookup(routes: readonly Route[], patterns: readonly string[]): Lookup {
  const tree = createRouter({
    maxParamLength: Number.MAX_SAFE_INTEGER,
    querystringParser: () => NO_QUERY,
  })
  const places = new Map<string, Route[]>()
  for (const [at, route] of routes.entries()) {
    const pattern = patterns[at] ?? ''
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

/** The places that servers may see in a path. */
function lenientLookup(lookups: readonly Lookup[]) {
  return (host: string, readings: Readings): (readonly Route[])[] =>
    lookups.flatMap((find, at) => (readings[at] ?? []).map((path) => find(host, path)))
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
function fixedPart(path: string): string {
  return path.replaceAll(/:\w+/g, '')
}

/** Without what means something to find-my-way. A canonical path holds no backslash. */
function literal(text: string): string {
  return text.replaceAll(/[%:*?#()]/g, (character) => `\\${character.charCodeAt(0)}\\`)
}

function noHandler(): void {
  // The tree is only asked for what it stores.
}
