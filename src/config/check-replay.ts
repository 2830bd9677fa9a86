/** The rules that join the keys of `replay`: which Redis is meant, and how it is spoken to. */

import type { Draft } from './draft.ts'
import type { Fault } from './problem.ts'

const WAYS = ['url', 'sentinel', 'cluster'] as const

type DraftReplay = NonNullable<Draft['replay']>

export function checkReplay({ replay }: Draft): readonly Fault[] {
  return replay ? [...checkWays(replay), ...checkTls(replay)] : []
}

/** Also with `store: memory`, so that what is prepared there works once it is switched on. */
function checkWays(replay: DraftReplay): readonly Fault[] {
  const [first, ...others] = WAYS.filter((way) => replay[way] !== undefined)
  if (first === undefined) {
    if (replay.store !== 'redis') return []
    const message = 'this key is required with store: redis, or `sentinel`, or `cluster`'
    return [{ path: ['replay', 'url'], message }]
  }
  const message = `cannot stand beside ${first}: one of ${WAYS.join(', ')}`
  return others.map((way) => ({ path: ['replay', way], message, atKey: true }))
}

function checkTls({ url, tls }: DraftReplay): readonly Fault[] {
  if (tls === undefined) return []
  const path = ['replay', 'tls']
  if (typeof url === 'string' && !url.startsWith('rediss:')) {
    return [{ path, message: 'has no effect unless replay.url begins with rediss://', atKey: true }]
  }
  const { cert, key } = tls
  if ((cert === undefined) === (key === undefined)) return []
  const missing = cert === undefined ? 'cert' : 'key'
  const message = 'this key is required: cert and key go together'
  return [{ path: [...path, missing], message }]
}
