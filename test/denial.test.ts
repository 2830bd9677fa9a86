/** The table of refusals against what is said of it and what is tried of it. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Denial, REFUSALS, type DenialCode, type Refusal } from '../src/denial.ts'

const codes = Object.keys(REFUSALS) as DenialCode[]

t.test('every code is documented, and nothing else is', async (t) => {
  const docs = readFileSync(join(import.meta.dirname, '../docs/errors.md'), 'utf8')
  const headings = [...docs.matchAll(/^### `?(\w+)`?$/gm)].map(([, code]) => code)
  t.strictSame([...headings].sort(), [...codes].sort())
})

t.test('what is documented is what is sent', async (t) => {
  const docs = readFileSync(join(import.meta.dirname, '../docs/errors.md'), 'utf8')
  for (const code of codes) {
    const { status, description }: Refusal = REFUSALS[code]
    const [, section = ''] = docs.split(new RegExp(`^### \`?${code}\`?$`, 'm'))
    const [, firstLine = ''] = /^\s*(.*)$/m.exec(section.trimStart()) ?? []
    t.ok(firstLine.startsWith(`${status} `), `${code}: ${status}`)
    t.ok(firstLine.includes(description), `${code}: ${description}`)
  }
})

t.test('every code is asserted by a test', async (t) => {
  const tests = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts') || path.endsWith('.txt'))
    .map((path) => readFileSync(join(import.meta.dirname, path), 'utf8'))
    .join('\n')
  for (const code of codes) {
    // Alone in quotation marks, behind the status, or at the start of a line of a list.
    t.ok(new RegExp(`(['"\`](\\d{3} )?|^)${code}['"\` ]`, 'm').test(tests), code)
  }
})

t.test('what a client is told is fit for a header field', async (t) => {
  for (const code of codes) {
    const { status, error, description, challenge, close }: Refusal = REFUSALS[code]
    t.match(code, /^[a-z]+(_[a-z]+)+$|^overloaded$/, code)
    t.match(description, /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/, `${code}: RFC 6750 §3`)
    t.match(error ?? 'none', /^[a-z_]+$/, code)
    t.notOk(challenge && close, `${code}: after a broken request there is nobody to challenge`)
    t.notOk(challenge && status >= 500, `${code}: with an outage no credentials help`)
  }
})

t.test('a denial', async (t) => {
  const cause = new Error('why')
  const denial = new Denial('proof_method', { detail: 'PUT', cause, headers: { Allow: 'GET' } })
  t.match(denial, { code: 'proof_method', message: 'proof_method', detail: 'PUT', cause })
  t.strictSame(denial.headers, { Allow: 'GET' })
  t.match(new Denial('overloaded'), { detail: undefined, headers: {} })
  t.notOk('cause' in new Denial('overloaded'))
})
