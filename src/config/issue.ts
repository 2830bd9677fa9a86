/** What zod found, in the words of someone who writes YAML. */

import type { z } from 'zod'
import { knownKeys } from './json-schema.ts'
import type { Fault, KeyPath } from './problem.ts'
import { suggestion } from './suggestion.ts'

type Issue = z.core.$ZodIssue

const REQUIRED = 'this key is required'
const EMPTY = 'has no value: give it one, or leave the key out'

const KINDS = new Map([
  ['string', 'a text'],
  ['number', 'a number'],
  ['int', 'a whole number'],
  ['boolean', 'true or false'],
  ['array', 'a list'],
  ['object', 'a mapping'],
  ['record', 'a mapping'],
])

/** The message of an issue whose schema brings none of its own. */
export const plainMessage: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${kindOf(issue.expected)}`
    case 'invalid_value':
      return `expected one of ${issue.values.map(String).join(', ')}`
    case 'too_small':
      if (issue.origin === 'array') return 'the list must not be empty'
      return `must be at least ${issue.minimum}`
    case 'too_big':
      return `must be at most ${issue.maximum}`
    default:
      return 'is not valid here'
  }
}

/** The mistakes an issue stands for, with full paths. */
export function faultsOf(issue: Issue, parent: KeyPath = []): readonly Fault[] {
  const path = [...parent, ...issue.path]
  if (issue.input === null && path.length > 0) return [{ path, message: EMPTY }]
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(path, key))
    case 'invalid_key':
      return [{ path, message: issue.issues[0]?.message ?? issue.message, atKey: true }]
    case 'invalid_union':
      return unionFaults(issue.errors, path)
    default:
      if (issue.input === undefined) return [{ path, message: REQUIRED }]
      return [{ path, message: issue.message }]
  }
}

function unknownKey(path: KeyPath, key: string): Fault {
  const message = `unknown key${suggestion(key, knownKeys(path))}`
  return { path: [...path, key], message, atKey: true }
}

/** A union is one item or a list: the form that was meant is the one whose type is right. */
function unionFaults(branches: readonly (readonly Issue[])[], path: KeyPath): readonly Fault[] {
  const meant = branches.find((issues) => !issues.some(isWrongType))
  if (meant !== undefined) return meant.flatMap((issue) => faultsOf(issue, path))
  if (branches[0]?.[0]?.input === undefined) return [{ path, message: REQUIRED }]
  const kinds = branches.flat().flatMap(kindsOf)
  return [{ path, message: `expected ${[...new Set(kinds)].join(' or ')}` }]
}

function isWrongType({ code, path }: Issue): boolean {
  return path.length === 0 && (code === 'invalid_type' || code === 'invalid_union')
}

function kindsOf(issue: Issue): readonly string[] {
  if (issue.code === 'invalid_union') return issue.errors.flat().flatMap(kindsOf)
  return issue.code === 'invalid_type' ? [kindOf(issue.expected)] : []
}

function kindOf(expected: string): string {
  return KINDS.get(expected) ?? expected
}
