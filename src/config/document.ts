/** The YAML of gateway.yaml: its value with variables filled in, and where each key stands. */

import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import type { Alias, Document as YamlDocument, YAMLError } from 'yaml'
import type { Surroundings } from './interpolate.ts'
import type { Fault, KeyPath } from './problem.ts'
import { fillIn, keyText } from './variables.ts'

/** Far more than a configuration needs, far less than a file made to blow up. */
const MAX_ALIASES = 50

export interface Position {
  readonly line: number
  readonly column: number
}

/** A mistake of the YAML itself, which belongs to no key. */
export interface SyntaxFault extends Position {
  readonly message: string
  /** Whether nothing after it can be told for sure. */
  readonly fatal: boolean
}

export interface Document {
  readonly syntaxFaults: readonly SyntaxFault[]
  /** Keys and variables that cannot be taken as they stand. */
  readonly faults: readonly Fault[]
  /** The same until a value in it is retyped. */
  readonly value: () => unknown
  /** Where the key or value stands; the nearest mapping around it, if it is not there. */
  readonly locate: (path: KeyPath, atKey?: boolean) => Position
  /** Whether the value came from a `${file:...}`. */
  readonly isSecret: (path: KeyPath) => boolean
  /** Makes a value that is nothing but a variable the number or boolean it reads as, if it does. */
  readonly retype: (path: KeyPath) => void
}

export function readDocument(text: string, surroundings: Surroundings): Document {
  const lineCounter = new LineCounter()
  const yaml = parseDocument(text, { lineCounter, prettyErrors: false, schema: 'core' })
  const variables = fillIn(yaml, surroundings)
  let value: unknown
  const valueNow = (): unknown => (value ??= yaml.toJS({ maxAliasCount: MAX_ALIASES }))
  const positionOf = (offset: number): Position => {
    const { line, col } = lineCounter.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  return {
    syntaxFaults: [
      ...yaml.errors,
      ...yaml.warnings,
      ...aliasFaultsOf(yaml, variables.aliases, valueNow),
    ].map((error) => ({
      ...positionOf(error.pos[0]),
      message: messageOf(error),
      fatal: error.code !== 'DUPLICATE_KEY',
    })),
    faults: variables.faults,
    value: valueNow,
    locate: (path, atKey) => positionOf(offsetOf(yaml, path, atKey)),
    isSecret: (path) => variables.secrets.has(nodeAt(yaml, path)),
    retype(path) {
      const node = nodeAt(yaml, path)
      if (!isScalar(node) || !variables.whole.has(node)) return
      node.value = typed(String(node.value))
      value = undefined
    },
  }
}

function typed(text: string): unknown {
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text)
  return text === 'true' ? true : text === 'false' ? false : text
}

type Mistake = Pick<YAMLError, 'pos' | 'message'> & { readonly code: string }

function aliasFaultsOf(
  yaml: YamlDocument.Parsed,
  aliases: readonly Alias[],
  valueNow: () => unknown,
): readonly Mistake[] {
  if (yaml.errors.length > 0 || aliases.length === 0) return []
  try {
    // A structure that holds itself has no JSON.
    JSON.stringify(valueNow())
    return []
  } catch {
    const unknown = aliases.find((alias) => alias.resolve(yaml) === undefined)
    const start = (unknown ?? aliases.at(-1))?.range?.[0] ?? 0
    const message =
      unknown === undefined
        ? 'aliases repeat too much, or one holds itself: write the values out'
        : `there is no anchor &${unknown.source} above`
    return [{ pos: [start, start], message, code: 'ALIAS' }]
  }
}

function messageOf({ code, message }: Mistake): string {
  if (code === 'DUPLICATE_KEY') return 'this key stands here twice'
  if (code === 'ALIAS') return message
  if (code === 'MULTIPLE_DOCS') return 'the file holds more than one YAML document'
  return `invalid YAML: ${message}`
}

interface Step {
  readonly key: unknown
  readonly value: unknown
}

function stepInto(yaml: YamlDocument.Parsed, node: unknown, key: PropertyKey): Step | undefined {
  const target: unknown = isAlias(node) ? node.resolve(yaml) : node
  if (isMap(target)) return target.items.find((pair) => keyText(pair.key) === String(key))
  if (!isSeq(target) || typeof key !== 'number' || target.items.length <= key) return undefined
  return { key: undefined, value: target.items[key] }
}

function nodeAt(yaml: YamlDocument.Parsed, path: KeyPath): unknown {
  let node: unknown = yaml.contents
  for (const key of path) node = stepInto(yaml, node, key)?.value
  return isAlias(node) ? node.resolve(yaml) : node
}

function offsetOf(yaml: YamlDocument.Parsed, path: KeyPath, atKey = false): number {
  let step: Step = { key: undefined, value: yaml.contents }
  let found = 0
  for (const key of path) {
    const next = stepInto(yaml, step.value, key)
    if (next === undefined) break
    step = next
    found += 1
  }
  const complete = found === path.length
  return startOf(complete && (atKey || isEmpty(step.value)) ? (step.key ?? step.value) : step.value)
}

function isEmpty(node: unknown): boolean {
  return isScalar(node) && node.value === null
}

function startOf(node: unknown): number {
  const isNode = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node)
  return isNode ? (node.range?.[0] ?? 0) : 0
}
