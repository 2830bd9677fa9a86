/**
 * The rules that join several keys. They run over whatever is well-formed, so that a mistake in one
 * place hides none in another; a key that is not well-formed is reported by the schema.
 */
import { checkIssuers } from './check-issuers.ts'
import { checkHeaders, checkRoutes } from './check-routes.ts'
import { Draft, lenient } from './draft.ts'
import type { Fault } from './problem.ts'

export function crossCheck(value: unknown): readonly Fault[] {
  const draft = lenient(Draft).parse(value) ?? {}
  return [
    ...checkIssuers(draft),
    ...checkReplay(draft),
    ...checkNonces(draft),
    ...checkHeaders(draft.identity?.headers, ['identity']),
    ...checkRoutes(draft),
  ]
}

function checkReplay({ replay }: Draft): readonly Fault[] {
  if (replay?.store !== 'redis' || replay.url !== undefined) return []
  return [{ path: ['replay', 'url'], message: 'this key is required with store: redis' }]
}

/** Each instance would refuse the nonces of the others. */
function checkNonces({ replay, nonce, dpop, routes = [] }: Draft): readonly Fault[] {
  const isUsed = routes.some(
    (route) =>
      route && route.access !== 'public' && (route.dpop?.nonce ?? dpop?.nonce) === 'required',
  )
  if (!isUsed || replay?.store !== 'redis' || nonce?.secrets !== undefined) return []
  const message = 'this key is required with dpop.nonce: required and store: redis'
  return [{ path: ['nonce', 'secrets'], message }]
}
