/**
 * Writes what is derived from the configuration schema: gateway.schema.json for editors and
 * docs/configuration.md for people. With `--check` it writes nothing and exits 1 when one is stale.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { format, resolveConfig } from 'prettier'
import { describeSettings, editorSchema, type JsonSchema } from '../src/config/json-schema.ts'

const INTRODUCTION = `# Configuration

<!-- Generated from src/config by \`npx tsx scripts/generate.ts\`: change the schema, not this file. -->

The gateway reads one YAML file, \`gateway.yaml\`. \`dpop-gateway check gateway.yaml\` reports every mistake in it at once, with line and column; \`--print\` shows what the gateway makes of it, defaults filled in and secrets redacted. \`dpop-gateway schema\` prints a JSON Schema, which gives completion in editors.

- **Durations** are written \`150ms\`, \`60s\`, \`5m\` or \`1h\`, at most \`24h\`; **sizes** \`512B\`, \`16KiB\`, \`1MiB\` or \`2GiB\`.
- **Variables** stand in any value: \`\${NAME}\`, \`\${NAME:-default}\` (used when NAME is unset or empty) and \`\${file:/run/secrets/x}\` (without its trailing newline; relative to the file). \`$\${\` stands for the characters \`\${\`. Inside \`[...]\` and \`{...}\` quote them: \`["\${NAME}"]\`. They are filled in after the YAML is parsed, so a value can never add a key.
- **Files** are named, relative to \`gateway.yaml\`, by the keys under \`tls\` and \`upstreamTls\`. All other secrets are values: keep them in files with \`\${file:…}\`.
- **Mistakes** are unknown keys, duplicate keys, YAML merge keys (\`<<\`), unset variables, unreadable files and values of a wrong form. The gateway does not start with any of them.
- An empty value (\`key:\`) is a mistake: leave the key out to have its default.`

const HEADER = `| Key | Value | Default | What it does |\n| --- | --- | --- | --- |`

function renderReference(root: JsonSchema): string {
  return [INTRODUCTION, ...sectionsOf('', root)].join('\n\n')
}

/** The section of a mapping, and those of the mappings in it. */
function sectionsOf(path: string, schema: JsonSchema): readonly string[] {
  const keys = Object.entries(schema.properties ?? {}).map(([name, child]) => ({
    name,
    child: typeof child === 'boolean' ? {} : child,
    path: path === '' ? name : `${path}.${name}`,
  }))
  const rows = keys.map(({ name, child }) => {
    const isRequired = schema.required?.includes(name) ?? false
    const cells = [`\`${name}\``, kindOf(child), standardOf(child, isRequired)]
    return `| ${[...cells, child.description ?? ''].join(' | ').replaceAll('\n', ' ')} |`
  })
  const heading = path === '' ? '## Keys' : `## \`${path}\`\n\n${schema.description ?? ''}`
  const nested = keys.flatMap(({ path: inner, child }) => mappingsOf(inner, child))
  return [`${heading}\n\n${HEADER}\n${rows.join('\n')}`, ...nested]
}

function mappingsOf(path: string, schema: JsonSchema): readonly string[] {
  if (schema.properties !== undefined) return sectionsOf(path, schema)
  const { items, additionalProperties, description } = schema
  const [inner, suffix] =
    typeof items === 'object' && !Array.isArray(items)
      ? [items, '[]']
      : [additionalProperties, '.<name>']
  if (typeof inner !== 'object' || inner.properties === undefined) return []
  return sectionsOf(`${path}${suffix}`, { ...inner, ...(description && { description }) })
}

function kindOf(schema: JsonSchema): string {
  const { title, anyOf, enum: values, items, additionalProperties } = schema
  if (title !== undefined) return title
  if (anyOf !== undefined) return anyOf.map(nestedKind).join(' or ')
  if (values !== undefined) return values.map((value) => `\`${String(value)}\``).join(', ')
  if (items !== undefined && !Array.isArray(items)) return `list of ${nestedKind(items)}`
  if (additionalProperties !== undefined && typeof additionalProperties === 'object') {
    const { propertyNames } = schema
    return `${nestedKind(propertyNames ?? {})} → ${nestedKind(additionalProperties)}`
  }
  return kindOfType(schema)
}

function nestedKind(schema: JsonSchema | boolean): string {
  return typeof schema === 'boolean' ? 'any' : kindOf(schema)
}

function kindOfType({ type, minimum, maximum }: JsonSchema): string {
  switch (type) {
    case 'object':
      return 'mapping'
    case 'string':
      return 'text'
    case 'boolean':
      return '`true`, `false`'
    case 'integer':
      return `${String(minimum)} to ${String(maximum)}`
    default:
      return String(type)
  }
}

function standardOf({ default: standard }: JsonSchema, isRequired: boolean): string {
  if (isRequired) return '**required**'
  if (standard === undefined) return ''
  if (typeof standard === 'string') return `\`${standard}\``
  // As YAML writes it: no quotes, a space after each comma and colon.
  const text = JSON.stringify(standard).replaceAll('"', '').replaceAll(/[,:]/g, '$& ')
  return text === '{}' ? '' : `\`${text}\``
}

async function outputs(): Promise<Readonly<Record<string, string>>> {
  const path = 'docs/configuration.md'
  const options = { ...(await resolveConfig(path)), filepath: path }
  return {
    'gateway.schema.json': `${JSON.stringify(editorSchema(), null, 2)}\n`,
    [path]: await format(renderReference(describeSettings()), options),
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

for (const [path, content] of Object.entries(await outputs())) {
  if (read(path) === content) continue
  if (process.argv.includes('--check')) {
    console.error(`${path} is stale: run npx tsx scripts/generate.ts`)
    process.exitCode = 1
  } else {
    writeFileSync(path, content)
    console.log(`wrote ${path}`)
  }
}
