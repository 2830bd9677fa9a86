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
    ...checkHeaders(draft.identity?.headers, ['identity']),
    ...checkRoutes(draft),
  ]
}

function checkReplay({ replay }: Draft): readonly Fault[] {
  if (replay?.store !== 'redis' || replay.url !== undefined) return []
  return [{ path: ['replay', 'url'], message: 'this key is required with store: redis' }]
}
