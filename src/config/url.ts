/** The URLs of gateway.yaml: absolute http or https, without user name, query or fragment. */

import { isLoopback } from '../loopback.ts'
import { findPathFault } from './path.ts'

export function findUrlFault(text: string): string | undefined {
  const [, authority, path = ''] = /^https?:\/\/([^/\\?#\s]+)(.*)$/i.exec(text) ?? []
  if (authority === undefined) return 'expected a URL that starts with http:// or https://'
  if (authority.includes('@')) return 'must not have a user name or password'
  if (!URL.canParse(text)) return 'has an invalid host or port'
  return path === '' ? undefined : findPathFault(path.startsWith('/') ? path : `/${path}`)
}

/** A page to read may have a query and a fragment. */
export function findPageFault(text: string): string | undefined {
  const isPage = /^https?:\/\/[\x21-\x7e]+$/i.test(text) && URL.canParse(text)
  return isPage ? undefined : 'expected a URL that starts with http:// or https://'
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
  const url = new URL(text)
  return url.protocol === 'http:' && !isLoopback(url)
}

/** The URL with its password replaced, for print and logs. */
export function redactPassword(text: string): string {
  const url = new URL(text)
  // A password alone is often put in the place of the name.
  if (url.username !== '' && url.password === '') url.username = 'redacted'
  if (url.password !== '') url.password = 'redacted'
  if (url.searchParams.has('password')) url.searchParams.set('password', 'redacted')
  return url.href
}
