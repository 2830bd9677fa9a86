import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { z } from 'zod'
import { schema } from '../../src/cli/schema.ts'
import { describeSettings, editorSchema, type JsonSchema } from '../../src/config/json-schema.ts'
import { childEnvironment } from '../support/environment.ts'
import { runCommand } from '../support/io.ts'

const ROOT = join(import.meta.dirname, '../..')

/** The paths of all keys below a schema that lack a description. */
function undescribed(schema: JsonSchema, path: string): readonly string[] {
  const named = Object.entries(schema.properties ?? {}).flatMap(([key, child]) => {
    if (typeof child === 'boolean') return [`${path}.${key}`]
    const own = child.description === undefined ? [`${path}.${key}`] : []
    return [...own, ...undescribed(child, `${path}.${key}`)]
  })
  const inner = [schema.items, schema.additionalProperties].flatMap((child) =>
    typeof child === 'object' && !Array.isArray(child) ? undescribed(child, `${path}[]`) : [],
  )
  return [...named, ...inner]
}

t.test('every key is described', async (t) => {
  t.strictSame(undescribed(describeSettings(), ''), [])
  t.strictSame(undescribed({ properties: { a: { items: { properties: { b: {} } } } } }, ''), [
    '.a',
    '.a[].b',
  ])
})

t.test('an editor finds the shipped file right, and a wrong one wrong', async (t) => {
  const editor = z.fromJSONSchema(editorSchema())
  const shipped: unknown = parse(readFileSync(join(ROOT, 'gateway.yaml'), 'utf8'))
  t.ok(editor.safeParse(shipped).success)
  const wrong = [{ sever: {} }, { log: { level: 'loud' } }, { replay: { timeout: '1 s' } }]
  for (const part of wrong) {
    t.notOk(editor.safeParse({ ...(shipped as object), ...part }).success, JSON.stringify(part))
  }
})

t.test('a default is said where an editor shows it', async (t) => {
  const { properties } = editorSchema()
  t.match(JSON.stringify(properties?.['replay']), 'refused with 503. Default: 150ms.')
})

t.test('the schema command prints what is shipped', async (t) => {
  const { code, stdout } = await runCommand(schema, [])
  t.equal(code, 0)
  t.equal(stdout, readFileSync(join(ROOT, 'gateway.schema.json'), 'utf8'))
})

t.test('no generated file is stale', async (t) => {
  const args = ['--import', 'tsx', 'scripts/generate.ts', '--check']
  const options = { cwd: ROOT, encoding: 'utf8', env: childEnvironment() } as const
  const { status, stderr } = spawnSync(process.execPath, args, options)
  t.equal(status, 0, stderr)
})
