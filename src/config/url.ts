/** The URLs of gateway.yaml: absolute http or https, without user name, query or fragment. */

import { isIP } from 'node:net'
import { findPathFault } from './path.ts'

export function findUrlFault(text: string): string | undefined {
  const [, authority, path = ''] = /^https?:\/\/([^/\\?#\s]+)(.*)$/i.exec(text) ?? []
  if (authority === undefined) return 'expected a URL that starts with http:// or https://'
  if (authority.includes('@')) return 'must not have a user name or password'
  if (!URL.canParse(text)) return 'has an invalid host or port'
  return path === '' ? undefined : findPathFault(path.startsWith('/') ? path : `/${path}`)
}

/** An origin is a URL without a path (RFC 6454). */
export function findOriginFault(text: string): string | undefined {
  const fault = findUrlFault(text)
  if (fault !== undefined) return fault
  return new URL(text).pathname === '/' ? undefined : 'must be an origin, without a path'
}

/** Lower-case scheme and host, no default port, no trailing slash. */
export function normaliseUrl(text: string): string {
  return new URL(text).href.replace(/\/$/, '')
}

/** Whether what is said to this URL could be read or changed on the way: http beyond this host. */
export function isExposed(text: string): boolean {
  const { protocol, hostname } = new URL(text)
  if (protocol !== 'http:') return false
  const loopback = isIP(hostname) === 4 ? /^127\./ : /^(.+\.)?localhost$|^\[::1\]$/
  return !loopback.test(hostname)
}

/** What is wrong with the URL of a Redis server. */
export function findRedisUrlFault(text: string): string | undefined {
  const form = 'expected redis://host:port, rediss://host:port or redis+unix:///path'
  const [, scheme] = /^(rediss?|redis\+unix):/.exec(text) ?? []
  if (scheme === undefined) return form
  if (!URL.canParse(text)) return `${form}; a password needs %-encoding`
  const url = new URL(text)
  if (text.includes('#')) return 'must not have a fragment; a password needs %-encoding'
  if (scheme === 'redis+unix') return url.pathname.length > 1 && url.host === '' ? undefined : form
  if (url.hostname === '') return form
  if (text.includes('?')) return 'must not have a query; a password needs %-encoding'
  return /^(\/\d*)?$/.test(url.pathname) ? undefined : 'the path must be a database number'
}

/** The URL with its password replaced, for print and logs. */
export function redactPassword(text: string): string {
  const url = new URL(text)
  if (url.password !== '') url.password = 'redacted'
  if (url.searchParams.has('password')) url.searchParams.set('password', 'redacted')
  return url.href
}
