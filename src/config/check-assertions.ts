/** The rules that join keys about assertions for upstreams. */
import { DEFAULT_ASSERTION_HEADER } from './assertion-schema.ts'
import type { Draft, Placed } from './draft.ts'
import type { Fault, KeyPath } from './problem.ts'

type DraftIdentity = NonNullable<Draft['identity']>

export function checkAssertions(draft: Draft): readonly Fault[] {
  const routes = (draft.routes ?? []).flatMap((route, index) =>
    route === undefined ? [] : [{ path: ['routes', index], route }],
  )
  return [
    ...checkIssuer(draft),
    ...checkHeader(draft.identity ?? {}, ['identity']),
    ...routes.flatMap((placed) => checkRoute(placed, draft.identity)),
  ]
}

/** A URL of which Host picks one is no name for the gateway. */
function checkIssuer({ server, assertion, identity, routes = [] }: Draft): readonly Fault[] {
  const isUsed = [identity, ...routes.map((route) => route?.identity)].some((it) => it?.assertion)
  const isNamed = assertion?.issuer !== undefined || typeof server?.publicUrl === 'string'
  if (!isUsed || isNamed) return []
  const message = 'this key is required with identity.assertion, unless server.publicUrl is one URL'
  return [{ path: ['assertion', 'issuer'], message }]
}

function checkRoute(
  { path, route: { access, identity } }: Placed,
  shared: DraftIdentity = {},
): readonly Fault[] {
  if (identity === undefined) return []
  const place = [...path, 'identity']
  if (access !== 'public' && access !== 'proof') {
    const { headers = shared.headers, assertion = shared.assertion } = identity
    return checkHeader({ headers, assertion }, place)
  }
  if (identity.assertion === undefined) return []
  const kind = access === 'public' ? 'on a public route' : 'with access: proof'
  return [{ path: [...place, 'assertion'], message: `has no effect ${kind}`, atKey: true }]
}

/** HTTP does not tell header names apart by case. */
function checkHeader({ headers, assertion }: DraftIdentity, parent: KeyPath): readonly Fault[] {
  if (!headers || !assertion) return []
  const { header = DEFAULT_ASSERTION_HEADER } = assertion
  const twin = Object.keys(headers).find((it) => it.toLowerCase() === header.toLowerCase())
  if (twin === undefined) return []
  const message = `${twin} is a header of identity.headers already`
  return [{ path: [...parent, 'assertion', 'header'], message }]
}
