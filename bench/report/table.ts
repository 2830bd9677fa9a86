/** Numbers and tables in Markdown. */
import type { Spread } from '../rounds.ts'

export function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n')
}

/** Three digits are as many as mean anything here. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '-'
  if (value >= 100) return Math.round(value).toLocaleString('en-US')
  return Number(value.toPrecision(3)).toString()
}

/** The median, and between what the rounds moved. */
export function formatSpread({ median, least, most }: Spread): string {
  const [middle, low, high] = [median, least, most].map(formatNumber)
  return low === high ? `${middle}` : `${middle} (${low}–${high})`
}
