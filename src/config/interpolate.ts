/**
 * `${NAME}`, `${NAME:-default}` and `${file:/run/secrets/x}` in one value. Done after the YAML is
 * parsed, so what a variable holds can never add a key or change the structure. `$${` stands for `${`.
 */

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

export interface Surroundings {
  readonly env: NodeJS.ProcessEnv
  /** The folder that relative paths of `${file:...}` start from. */
  readonly baseDir: string
  /** Told of every file that is named, whether it can be read or not. */
  readonly onFile?: (path: string) => void
}

export interface Interpolated {
  readonly text: string
  /** Whether a part of the text came from a file, and so is never shown. */
  readonly secret: boolean
  /** What is wrong, if anything; the text is then of no use. */
  readonly fault?: string
}

export function interpolate(template: string, surroundings: Surroundings): Interpolated {
  let secret = false
  let fault: string | undefined
  const text = template.replace(
    /\$\$\{|\$\{([^}]*)(\}?)/g,
    (match, body?: string, end?: string) => {
      if (match === '$${') return '${'
      const reference = body ?? ''
      secret ||= reference.startsWith('file:')
      const found = end === '' ? { fault: NOT_CLOSED } : resolveReference(reference, surroundings)
      if ('text' in found) return found.text
      fault ??= found.fault
      return ''
    },
  )
  return { text, secret, ...(fault === undefined ? {} : { fault }) }
}

const NOT_CLOSED = '${ without a closing }: write $${ for the characters themselves'

type Resolved = { readonly text: string } | { readonly fault: string }

function resolveReference(reference: string, { env, baseDir, onFile }: Surroundings): Resolved {
  if (reference.startsWith('file:')) {
    const path = resolve(baseDir, reference.slice(5))
    onFile?.(path)
    return readSecret(path)
  }
  const [, name, standard] = /^([A-Za-z_]\w*)(?::-([^]*))?$/.exec(reference) ?? []
  if (name === undefined) {
    return { fault: 'expected ${NAME}, ${NAME:-default} or ${file:/path}; $${ stands for ${' }
  }
  const value = env[name]
  // As in a shell: with :- an empty variable counts as not set.
  if (standard !== undefined)
    return { text: value === undefined || value === '' ? standard : value }
  return value === undefined ? { fault: `the variable ${name} is not set` } : { text: value }
}

function readSecret(path: string): Resolved {
  try {
    return { text: readFileSync(path, 'utf8').replace(/\r?\n$/, '') }
  } catch (error) {
    return { fault: `cannot read ${path}: ${reasonOf(error)}` }
  }
}

const REASONS = new Map([
  ['ENOENT', 'there is no such file'],
  ['EACCES', 'permission denied'],
  ['EISDIR', 'it is a directory'],
])

/** Why a file could not be read, in words. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  return REASONS.get(code) ?? code
}
