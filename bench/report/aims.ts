/** What the gateway is to reach, and whether it did. */
import type { Spread } from '../rounds.ts'
import { formatNumber, formatSpread, table } from './table.ts'

export interface Aim {
  readonly text: string
  readonly limit: number
  /** Whether the value may be at most or must be at least the limit. */
  readonly bound: 'at most' | 'at least'
  /** Left out: why there is none. */
  readonly value: Spread | string
  readonly note?: string
}

export function isReached({ value, limit, bound }: Aim): boolean | undefined {
  if (typeof value === 'string') return undefined
  return bound === 'at most' ? value.median <= limit : value.median >= limit
}

export function aimTable(aims: readonly Aim[]): string {
  return table(
    ['aim', 'limit', 'measured', ''],
    aims.map((aim) => {
      const { text, limit, bound, value, note } = aim
      const reached = isReached(aim)
      return [
        note === undefined ? text : `${text} (${note})`,
        `${bound} ${formatNumber(limit)}`,
        typeof value === 'string' ? value : formatSpread(value),
        reached === undefined ? 'not measured' : reached ? 'reached' : '**not reached**',
      ]
    }),
  )
}
