/** gateway.yaml as a JSON Schema: for editors, for the reference, and to know the keys of a place. */

import { z } from 'zod'
import type { KeyPath } from './problem.ts'
import { Settings } from './schema.ts'

export type JsonSchema = z.core.JSONSchema.JSONSchema

/** The schema of what stands in the file, variables aside. */
export function describeSettings(): JsonSchema {
  return z.toJSONSchema(Settings, { io: 'input' })
}

/** The schema for editors: as described, and a text with a variable wherever a value stands. */
export function editorSchema(): JsonSchema {
  return { title: 'gateway.yaml of dpop-gateway', ...allowVariables(describeSettings()) }
}

/** The keys a mapping at this path may have. None where it may have any. */
export function knownKeys(path: KeyPath): readonly string[] {
  const schemas = path.reduce<readonly JsonSchema[]>(
    (candidates, key) => candidates.flatMap((candidate) => childrenOf(candidate, key)),
    [describeSettings()],
  )
  return schemas.flatMap((schema) => Object.keys(schema.properties ?? {}))
}

function childrenOf(schema: JsonSchema, key: PropertyKey): readonly JsonSchema[] {
  const { items, additionalProperties } = schema
  const child =
    typeof key === 'number'
      ? Array.isArray(items)
        ? undefined
        : items
      : (schema.properties?.[String(key)] ?? additionalProperties)
  return typeof child === 'object' ? [child] : []
}

const VARIABLE = { type: 'string', pattern: '\\$\\{' } as const

function allowVariables(schema: JsonSchema): JsonSchema {
  const { title, description, default: standard, ...shape } = schema
  const notes = {
    ...(title === undefined ? {} : { title }),
    ...(description === undefined ? {} : { description: describe(description, standard) }),
    ...(standard === undefined ? {} : { default: standard }),
  }
  if (shape.anyOf !== undefined) return { ...notes, anyOf: shape.anyOf.map(allowWithin) }
  if (shape.type === 'object' || shape.type === 'array') return { ...notes, ...within(shape) }
  // Any text will do, so one with a variable does.
  if (Object.keys(shape).join() === 'type' && shape.type === 'string') return { ...notes, ...shape }
  return { ...notes, anyOf: [shape, VARIABLE] }
}

function within(shape: JsonSchema): JsonSchema {
  const { properties, items, additionalProperties } = shape
  const named = Object.entries(properties ?? {}).map(
    ([key, child]) => [key, allowWithin(child)] as const,
  )
  return {
    ...shape,
    ...(properties === undefined ? {} : { properties: Object.fromEntries(named) }),
    ...(items === undefined || Array.isArray(items) ? {} : { items: allowWithin(items) }),
    ...(additionalProperties === undefined
      ? {}
      : { additionalProperties: allowWithin(additionalProperties) }),
  }
}

function allowWithin<Child extends JsonSchema | boolean>(child: Child): JsonSchema | Child {
  return typeof child === 'object' ? allowVariables(child) : child
}

/** Editors show the description alone, so the default is said in it. */
function describe(description: string, standard: unknown): string {
  if (standard === undefined || JSON.stringify(standard) === '{}') return description
  return `${description} Default: ${JSON.stringify(standard).replaceAll('"', '')}.`
}
