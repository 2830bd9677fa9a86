/**
 * The rules that join several keys. They run over whatever is well-formed, so that a mistake in one
 * place hides none in another; a key that is not well-formed is reported by the schema.
 */
import { checkAssertions } from './check-assertions.ts'
import { checkIssuers } from './check-issuers.ts'
import { checkReplay } from './check-replay.ts'
import { checkHeaders } from './check-route.ts'
import { checkRoutes } from './check-routes.ts'
import { Draft, lenient } from './draft.ts'
import type { Fault } from './problem.ts'

export function crossCheck(value: unknown): readonly Fault[] {
  const draft = lenient(Draft).parse(value) ?? {}
  return [
    ...checkIssuers(draft),
    ...checkReplay(draft),
    ...checkWorkers(draft),
    ...checkNonces(draft),
    ...checkNonceModes(draft),
    ...checkHeaders(draft.identity?.headers, ['identity']),
    ...checkAssertions(draft),
    ...checkHttp2(draft),
    ...checkResources(draft),
    ...checkRoutes(draft),
  ]
}

/** Each would remember only what it has seen itself. */
function checkWorkers({ server, replay }: Draft): readonly Fault[] {
  const workers = server?.workers ?? 1
  if (workers === 1 || replay?.store === 'redis') return []
  const message =
    'more than one needs replay.store: redis, or a proof could be used once at each of them'
  return [{ path: ['server', 'workers'], message }]
}

/** By route: whether its proofs need a nonce. Undefined where it asks for no proof. */
function nonceModes({ dpop, routes = [] }: Draft): readonly unknown[] {
  return routes.map((route) =>
    route && route.access !== 'public' ? (route.dpop?.nonce ?? dpop?.nonce ?? 'off') : undefined,
  )
}

/** Each instance would refuse the nonces of the others. */
function checkNonces(draft: Draft): readonly Fault[] {
  const { replay, nonce } = draft
  if (replay?.store !== 'redis' || nonce?.secrets !== undefined) return []
  const path = ['nonce', 'secrets']
  if (nonceModes(draft).includes('required')) {
    return [{ path, message: 'this key is required with dpop.nonce: required and store: redis' }]
  }
  if (replay.onOutage !== 'nonce') return []
  return [{ path, message: 'this key is required with replay.onOutage: nonce' }]
}

/**
 * With one public URL a proof for a path is good on every host of it. Where one route goes by the
 * nonce and another by `iat`, what the one has seen the other could take again.
 */
function checkNonceModes(draft: Draft): readonly Fault[] {
  const { server, routes = [] } = draft
  const isShared = typeof server?.publicUrl === 'string' && routes.some((route) => route?.host)
  const modes = nonceModes(draft)
  const first = modes.find((mode) => mode !== undefined)
  const other = modes.findLastIndex((mode) => mode !== undefined && mode !== first)
  if (!isShared || other < 0) return []
  const message =
    'must be the same on all routes where they have hosts and server.publicUrl is one URL'
  return [{ path: ['routes', other, 'dpop', 'nonce'], message }]
}

/** RFC 9113 §3.3: without TLS there is no ALPN, and no browser speaks it. */
function checkHttp2({ server }: Draft): readonly Fault[] {
  if (server?.http2 !== true || server.tls !== undefined) return []
  return [{ path: ['server', 'http2'], message: 'needs server.tls' }]
}

/** Nobody would ever read it. */
function checkResources({ server, resource, routes = [] }: Draft): readonly Fault[] {
  const isOff = resource?.metadata === false
  if (server?.publicUrl !== undefined && !isOff) return []
  const reason = isOff ? 'with resource.metadata: false' : 'without server.publicUrl'
  const titles = [
    { path: ['resource'], title: resource },
    ...routes.map((route, at) => ({ path: ['routes', at, 'resource'], title: route?.resource })),
  ]
  return titles.flatMap(({ path, title }) =>
    (['name', 'documentation'] as const)
      .filter((key) => title?.[key] !== undefined)
      .map((key) => ({ path: [...path, key], message: `has no effect ${reason}`, atKey: true })),
  )
}
