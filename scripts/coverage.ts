/** Whether the tests that ran reach as many lines of src as is agreed. */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const REPORT = '.tap/report/coverage-summary.json'
const LEAST_PERCENT = 95

type Summary = Readonly<
  Record<string, { readonly lines: { readonly total: number; readonly covered: number } }>
>

/** That of an earlier run. */
export function forgetCoverage(): void {
  rmSync(REPORT, { force: true })
}

/** A sentence where it is too little; undefined where it is enough, or was not measured. */
export function coverageProblem(): string | undefined {
  if (!existsSync(REPORT)) return undefined
  const summary = JSON.parse(readFileSync(REPORT, 'utf8')) as Summary
  // Demo and scripts are not part of what is shipped.
  const files = Object.entries(summary).filter(([path]) =>
    path.startsWith(join(process.cwd(), 'src')),
  )
  const sum = (count: 'total' | 'covered') =>
    files.reduce((all, [, { lines }]) => all + lines[count], 0)
  const percent = (100 * sum('covered')) / sum('total')
  if (percent >= LEAST_PERCENT) return undefined
  return `the tests reach ${percent.toFixed(1)} % of the lines of src, and ${LEAST_PERCENT} % is the least`
}
