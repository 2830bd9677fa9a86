/** The URL of this gateway as clients call it (`server.publicUrl`): what `htu` is compared with. */
import { Denial } from '../denial.ts'
import type { OriginalRequest } from './original-request.ts'

/** The public URL a request was made to, without a slash at its end. Throws `origin_unknown`. */
export type PublicOrigin = (request: OriginalRequest) => string

/**
 * One URL is pinned and Host not asked. Of a list Host picks one. Without either it is the scheme
 * and host of the request itself, as a trusted proxy tells them.
 */
export function createPublicOrigin(
  publicUrl: string | readonly string[] | undefined,
): PublicOrigin {
  if (publicUrl === undefined) return ({ scheme, authority }) => `${scheme}://${authority}`
  if (typeof publicUrl === 'string') return () => publicUrl
  const origins = new Map(publicUrl.flatMap(authoritiesOf))
  return ({ authority }) => {
    const origin = origins.get(authority)
    if (origin === undefined) throw new Denial('origin_unknown')
    return origin
  }
}

/** A client may name the default port of the scheme in Host, and a proxy may speak http to us. */
function authoritiesOf(origin: string): [authority: string, origin: string][] {
  const { host, port, protocol } = new URL(origin)
  if (port !== '') return [[host, origin]]
  return [
    [host, origin],
    [`${host}:${protocol === 'https:' ? '443' : '80'}`, origin],
  ]
}
