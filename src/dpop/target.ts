/**
 * The target URI: what `htu` must equal (RFC 9449 §4.3, check 9). Both sides are brought to the one
 * canonical form of RFC 3986 §6.2.2 and §6.2.3 and then compared as text. WHATWG's `URL` is not
 * used for that: it drops tabs and user names, turns `\` into `/` and resolves dot segments.
 */
import { isIPv6 } from 'node:net'
import { domainToASCII } from 'node:url'

const URI = /^(https?):\/\/([^/?#]*)([^?#]*)(?:[?#].*)?$/is
const AUTHORITY = /^(\[[^\]]*\]|[^:]*)(?::([1-9]\d{0,4}))?$/
const HOST = /^[a-z0-9._~-]+$/
/** Asked before ToASCII, which drops tabs and line ends and cuts off what follows a backslash. */
const HOST_BEFORE_ASCII = /^(?:[\w.~-]|[^\0-\x7f])+$/
const PLAIN_PATH = /^\/[\w.~!$&'()*+,;=:@/-]*$/
const PATH = /^\/(?:[\w.~!$&'()*+,;=:@/-]|%[\dA-F]{2})*$/i
const UNRESERVED = /[\w.~-]/

/**
 * A segment that is `.` or `..`, also for a reader that takes a backslash for a slash or cuts off
 * path parameters, a query or a fragment, as some servers behind a gateway do.
 */
const DOT_SEGMENT = /[/\\]\.{1,2}(?:;[^/\\]*)?(?=[/\\?#]|$)/

/** Control characters, some of which `URL` drops, and ASCII in more octets than it needs. */
const HIDDEN = /[\0-\x1f\x7f]|[\xc0\xc1][\x80-\xbf]|\xe0[\x80-\x9f][\x80-\xbf]/

const ENCODED = /%[\dA-F]{2}/i
const ENCODED_ALL = /%([\dA-F]{2})/gi

/** A proxy, a framework and a handler may each decode a path once. */
const MOST_DECODINGS = 3

/**
 * The canonical form of an absolute http or https URI without its query and fragment, or undefined
 * where it is not one. Host names are compared as ASCII (RFC 5891), characters outside ASCII in the
 * path percent-encoded.
 */
export function canonicalTarget(uri: string): string | undefined {
  const match = URI.exec(uri)
  if (!match) return undefined
  const [, scheme = '', authority = '', path = ''] = match
  const lowerScheme = scheme.toLowerCase()
  const origin = canonicalAuthority(authority, lowerScheme)
  const canonical = canonicalPath(encodeNonAscii(path === '' ? '/' : path))
  if (origin === undefined || canonical === undefined) return undefined
  return `${lowerScheme}://${origin}${canonical}`
}

/** `host` or `host:port` in lower case and without the default port of the scheme, or undefined. */
export function canonicalAuthority(authority: string, scheme: string): string | undefined {
  const match = AUTHORITY.exec(authority)
  if (!match) return undefined
  const [, name = '', port] = match
  const host = canonicalHost(name)
  if (host === undefined || Number(port ?? 0) > 65_535) return undefined
  return port === undefined || port === (scheme === 'https' ? '443' : '80')
    ? host
    : `${host}:${port}`
}

/**
 * An absolute path in canonical form: unreserved characters decoded, the other percent-encodings in
 * upper case. Undefined where it is malformed or ambiguous: dot segments and control characters,
 * however often encoded, a backslash, a lone `%`, or anything that must be encoded and is not.
 */
export function canonicalPath(path: string): string | undefined {
  if (PLAIN_PATH.test(path)) {
    return path.includes('/.') && DOT_SEGMENT.test(path) ? undefined : path
  }
  if (!PATH.test(path)) return undefined
  const canonical = path.replace(/%[\dA-F]{2}/gi, (encoded) => {
    const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16))
    return UNRESERVED.test(character) ? character : encoded.toUpperCase()
  })
  return [canonical, ...decodings(canonical)].some(isAmbiguous) ? undefined : canonical
}

/** The path as servers see it that decode it once, or more often: octets as characters. */
export function decodings(path: string): string[] {
  const texts: string[] = []
  for (let text = path; texts.length < MOST_DECODINGS && ENCODED.test(text);) {
    text = text.replace(ENCODED_ALL, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
    texts.push(text)
  }
  return texts
}

function isAmbiguous(text: string): boolean {
  return DOT_SEGMENT.test(text) || HIDDEN.test(text)
}

function canonicalHost(name: string): string | undefined {
  if (name.startsWith('[')) {
    return isIPv6(name.slice(1, -1)) && !name.includes('%')
      ? new URL(`http://${name}`).hostname
      : undefined
  }
  if (!HOST_BEFORE_ASCII.test(name)) return undefined
  const ascii = /[^\0-\x7f]/.test(name) ? domainToASCII(name) : name.toLowerCase()
  return HOST.test(ascii) ? ascii : undefined
}

function encodeNonAscii(path: string): string {
  return path.isWellFormed() ? path.replace(/[^\0-\x7f]+/g, encodeURIComponent) : path
}
