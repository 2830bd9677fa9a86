/** A part of the report: a run of its own, that says where and when it was made. */
import type { Aim } from './aims.ts'

export type SectionName = 'costs' | 'growth' | 'size'

export interface Section {
  readonly name: SectionName
  /** Paragraphs and tables, in Markdown. */
  readonly parts: readonly string[]
  readonly aims: readonly Aim[]
  /** What README.md shows of it. */
  readonly summary?: string
}

/** What every section is given. */
export interface Plan {
  /** Counts are multiplied by it: less than 1 for a quick look. */
  readonly scale: number
  readonly rounds: number
  readonly withPeers: boolean
  readonly say: (line: string) => void
}

/** A count at the scale of the plan. */
export function scaled({ scale }: Plan, count: number, least = 64): number {
  return Math.max(least, Math.round(count * scale))
}
