/** Fills the variables of a YAML document in, node by node, so that each keeps its place. */

import { isAlias, isMap, isScalar, isSeq, type Alias, type Document, type Scalar } from 'yaml'
import { interpolate, type Surroundings } from './interpolate.ts'
import type { Fault, KeyPath } from './problem.ts'

export interface Variables {
  readonly faults: readonly Fault[]
  /** Nodes with a part from a file. */
  readonly secrets: ReadonlySet<unknown>
  /** Nodes that are nothing but one variable. */
  readonly whole: ReadonlySet<Scalar>
  /** Which it has come across, in the order of the file. */
  readonly aliases: readonly Alias[]
}

export function fillIn(yaml: Document.Parsed, surroundings: Surroundings): Variables {
  const faults: Fault[] = []
  const secrets = new Set<unknown>()
  const whole = new Set<Scalar>()
  const aliases: Alias[] = []
  const visit = (node: unknown, path: KeyPath): void => {
    if (isMap(node)) {
      for (const { key, value } of node.items) {
        const inner = [...path, keyText(key)]
        const message = findKeyFault(key)
        if (message !== undefined) faults.push({ path: inner, message, atKey: true })
        if (!isScalar(key)) visit(key, inner)
        visit(value, inner)
      }
    } else if (isSeq(node)) {
      for (const [index, item] of node.items.entries()) visit(item, [...path, index])
    } else if (isAlias(node)) {
      aliases.push(node)
    } else if (isScalar(node) && typeof node.value === 'string' && node.value.includes('${')) {
      if (/^\$\{[^}]*\}$/.test(node.value)) whole.add(node)
      const { text, secret, fault } = interpolate(node.value, surroundings)
      if (fault !== undefined) faults.push({ path, message: fault })
      if (secret) secrets.add(node)
      node.value = text
    }
  }
  visit(yaml.contents, [])
  return { faults, secrets, whole, aliases }
}

export function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : ''
}

function findKeyFault(key: unknown): string | undefined {
  if (!isScalar(key) || key.value === null) return 'a key must be a plain text'
  if (key.value === '<<') return 'YAML merge keys are not supported: write the keys out'
  // JavaScript gives this name a meaning of its own, and a rule under it would be lost.
  if (key.value === '__proto__') return 'unknown key'
  return undefined
}
