/** What the demo prints: aligned, within 100 columns, and in colour only on a terminal. */
import { styleText } from 'node:util'
import type { Visit } from './tour.ts'

const COLUMNS = [23, 29, 24] as const

type Style = Parameters<typeof styleText>[0]

const colours = process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === ''

export function style(format: Style, text: string): string {
  return colours ? styleText(format, text) : text
}

export function say(text = ''): void {
  process.stdout.write(`${text}\n`)
}

export function sayHeading(): void {
  say(style('bold', `  ${columns('Request', 'What was sent', 'Expected')}Got`))
  say(style('dim', `  ${'─'.repeat(97)}`))
}

export function sayVisit({ name, sent, expected, got, why }: Visit): void {
  const passed = got === expected
  const mark = passed ? style('green', '✓') : style('red', '✗')
  say(`${mark} ${columns(name, sent, expected)}${style(passed ? 'green' : 'red', got)}`)
  say(style('dim', `    ${why}`))
}

function columns(...cells: readonly [string, string, string]): string {
  return cells.map((cell, at) => cell.padEnd(COLUMNS[at] ?? 0)).join('')
}
