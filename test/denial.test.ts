/** The table of refusals against what is said of it and what is tried of it. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import ts from 'typescript'
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
  const literals = literalsOf(import.meta.dirname, (path) => path !== 'denial.test.ts')
  // Alone, or behind the status.
  const asserted = new Set([...literals].map((text) => text.replace(/^\d{3} /, '')))
  for (const code of codes) t.ok(asserted.has(code), code)
})

t.test('every code is thrown by something', async (t) => {
  const thrown = literalsOf(join(import.meta.dirname, '../src'), (path) => path !== 'denial.ts')
  for (const code of codes) t.ok(thrown.has(code), code)
})

/**
 * The string literals of the TypeScript below a directory: no comments, no names of anything. Of a
 * regular expression what it has in quotation marks.
 */
function literalsOf(directory: string, isMeant: (path: string) => boolean): ReadonlySet<string> {
  const literals = new Set<string>()
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) literals.add(node.text)
    if (ts.isRegularExpressionLiteral(node)) {
      for (const [, text = ''] of node.text.matchAll(/"(\w+)"/g)) literals.add(text)
    }
    ts.forEachChild(node, visit)
  }
  for (const path of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    if (!path.endsWith('.ts') || !isMeant(path)) continue
    const text = readFileSync(join(directory, path), 'utf8')
    visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest))
  }
  return literals
}

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

t.test('a denial does not say where it comes from, and other errors still do', (t) => {
  const frames = /\n +at /
  t.notMatch(new Denial('proof_missing').stack, frames)
  t.match(new Error('a bug').stack, frames)
  t.end()
})

t.test('a denial', async (t) => {
  const cause = new Error('why')
  const denial = new Denial('proof_method', { detail: 'PUT', cause, headers: { Allow: 'GET' } })
  t.match(denial, { code: 'proof_method', message: 'proof_method', detail: 'PUT', cause })
  t.strictSame(denial.headers, { Allow: 'GET' })
  t.match(new Denial('overloaded'), { detail: undefined, headers: {} })
  t.notOk('cause' in new Denial('overloaded'))
})
