/**
 * The paths of gateway.yaml. A route's path is compared with the canonical path of a request, so
 * one that is not canonical itself could never match, or would match something else than it says.
 */

const PARAMETER = /^:[A-Za-z_]\w*$/

/** What keeps a path from being canonical (RFC 3986 §6.2.2), or nothing. */
export function findPathFault(path: string): string | undefined {
  if (!path.startsWith('/')) return 'must start with /'
  if (path.includes('?')) return 'must not have a query'
  if (path.includes('#')) return 'must not have a fragment'
  if (path.includes('//')) return 'must not have an empty segment (//)'
  if (/\/\.\.?(\/|$)/.test(path)) return 'must not have a . or .. segment'
  if (/[^\w\-.~!$&'()*+,;=:@%/]/.test(path)) return 'characters outside RFC 3986 need %-encoding'
  return findEncodingFault(path)
}

function findEncodingFault(path: string): string | undefined {
  for (const [encoded] of path.matchAll(/%.{0,2}/g)) {
    if (!/^%[\dA-Fa-f]{2}$/.test(encoded)) return `${encoded} is not a %-encoding`
    if (encoded !== encoded.toUpperCase()) return `${encoded} must be in upper case`
    const octet = String.fromCharCode(Number.parseInt(encoded.slice(1), 16))
    if (/[\w\-.~]/.test(octet)) return `${encoded} must be written as ${octet}`
    // Upstreams disagree on whether these separate segments or end the path.
    if (/[/\\?#\0-\x1f\x7f]/.test(octet)) return `${encoded} is ambiguous in a path`
  }
  return undefined
}

/** What is wrong with the path of a route: exact, with `:param` segments, or ending in `/*`. */
export function findRoutePathFault(path: string): string | undefined {
  const segments = path.replace(/\/\*$/, '/').split('/')
  if (segments.some((segment) => segment.includes('*'))) return '* stands only at the end, as /*'
  const parameters = segments.filter((segment) => segment.includes(':'))
  if (!parameters.every((segment) => PARAMETER.test(segment))) {
    return 'a colon stands only at the start of a segment, as /:name'
  }
  if (new Set(parameters).size < parameters.length) return 'has the same :param twice'
  return findPathFault(path)
}

/** What is wrong with a prefix to strip: whole segments, no trailing slash, nothing variable. */
export function findPrefixFault(prefix: string): string | undefined {
  if (prefix === '/') return 'strips nothing: leave the key out'
  if (prefix.endsWith('/')) return 'must not end with /'
  if (/[*:]/.test(prefix)) return 'must not hold * or :'
  return findPathFault(prefix)
}

/** The path with its parameters unnamed: two routes of one shape match the same requests. */
export function shapeOf(path: string): string {
  return path.replace(/\/:\w+/g, '/:')
}

/** Whether every request that matches the path begins with the prefix, at a segment's end. */
export function isPrefixOf(prefix: string, path: string): boolean {
  const fixed = path.replace(/\/(:|\*$).*$/, '/')
  return fixed === prefix || fixed.startsWith(`${prefix}/`)
}
