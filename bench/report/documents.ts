/** Puts a section into docs/benchmark.md, and its summary into README.md, between their markers. */
import { readFileSync, writeFileSync } from 'node:fs'
import { format, resolveConfig } from 'prettier'
import { describeDay, describeMachine, describeNoise, describeVersions } from '../machine.ts'
import { aimTable, isReached } from './aims.ts'
import type { Section } from './section.ts'

const DOCUMENT = 'docs/benchmark.md'
const README = 'README.md'

const noise = describeNoise() // At the start, before the benchmark itself is the load.

/** With its aims and where it was made. */
export function describeSection({ parts, aims }: Section): Promise<string> {
  const made = `Made on ${describeDay()}: ${describeMachine()}; ${describeVersions()}; ${noise}.`
  return prettify([made, ...parts, '### Aims', aimTable(aims)].join('\n\n'))
}

export async function writeReports({ name, summary, aims }: Section, text: string): Promise<void> {
  await replaceBetween(DOCUMENT, name, text)
  if (summary === undefined) return
  const made = `${describeDay()}, ${describeMachine()}; ${describeVersions()}:`
  const measured = aims.filter((it) => isReached(it) !== undefined)
  const reached = measured.filter((it) => isReached(it) === true)
  const verdict = `Of ${measured.length} aims that were measured ${reached.length} are reached ([which](${DOCUMENT}#aims)).`
  await replaceBetween(README, 'bench', [made, summary, verdict].join('\n\n'))
}

async function replaceBetween(path: string, marker: string, text: string): Promise<void> {
  const document = readFileSync(path, 'utf8')
  writeFileSync(path, await prettify(withSection(document, marker, text)))
}

/** The document with other text between `<!-- marker -->` and `<!-- /marker -->`. */
export function withSection(document: string, marker: string, text: string): string {
  const [open, close] = [`<!-- ${marker} -->`, `<!-- /${marker} -->`]
  const [start, end] = [document.indexOf(open), document.indexOf(close)]
  if (start < 0 || end < start) throw new Error(`no ${open} and ${close}`)
  return `${document.slice(0, start + open.length)}\n\n${text.trim()}\n\n${document.slice(end)}`
}

async function prettify(markdown: string): Promise<string> {
  return format(markdown, { ...(await resolveConfig(README)), parser: 'markdown' })
}
