/** From gateway.yaml to a Config, or to every mistake in it at once. */

import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { z } from 'zod'
import { crossCheck } from './cross-check.ts'
import { readDocument, type Document } from './document.ts'
import { reasonOf } from './interpolate.ts'
import { faultsOf, plainMessage } from './issue.ts'
import { readPemFiles } from './pem-files.ts'
import { ConfigError, formatPath, type Fault, type Problem } from './problem.ts'
import { compileConfig, Settings, type Config } from './schema.ts'

export interface Source {
  /** Name of the file in problems. */
  readonly file: string
  /** Default is the environment of the process. */
  readonly env?: NodeJS.ProcessEnv
  /** Folder that relative paths of `${file:...}` start from. Default is the folder of `file`. */
  readonly baseDir?: string
}

export interface Loaded {
  readonly config: Config
  /** Whether a value came from a `${file:...}`, by its path in the file. */
  readonly isSecret: Document['isSecret']
  /** Every file its values come from, the configuration itself among them. */
  readonly files: readonly string[]
}

/** Throws a ConfigError that holds every mistake. */
export function loadConfig(path: string, env: NodeJS.ProcessEnv = process.env): Config {
  return loadFile(path, env).config
}

/** Throws a ConfigError that holds every mistake. */
export function parseConfig(text: string, source: Source): Config {
  return parseText(text, source).config
}

/** The Config of a file, and what is needed to print it. */
export function loadFile(path: string, env: NodeJS.ProcessEnv = process.env): Loaded {
  return parseText(readText(path), { file: path, env })
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const message = `cannot read the file: ${reasonOf(error)}`
    throw new ConfigError([{ file: path, line: 1, column: 1, path: '', message }])
  }
}

function parseText(text: string, { file, env, baseDir }: Source): Loaded {
  const files = new Set([file])
  const surroundings = {
    env: env ?? process.env,
    baseDir: baseDir ?? dirname(file),
    onFile: (path: string) => void files.add(path),
  }
  const document = readDocument(text, surroundings)
  if (document.syntaxFaults.some(({ fatal }) => fatal))
    throw new ConfigError(problemsOf([], document, file), [...files])
  const result = parseValue(document)
  const pem = readPemFiles(document.value(), surroundings)
  const faults = [
    ...document.faults,
    ...(result.error?.issues ?? []).flatMap((issue) => faultsOf(issue)),
    ...crossCheck(document.value()),
    ...pem.faults,
  ]
  if (!result.success || faults.length + document.syntaxFaults.length > 0)
    throw new ConfigError(problemsOf(faults, document, file), [...files])
  return {
    config: compileConfig(result.data, pem.files),
    isSecret: document.isSecret,
    files: [...files],
  }
}

/** A variable is text; where the schema expects a number or boolean it is read as one. */
function parseValue(document: Document) {
  const parse = () =>
    Settings.safeParse(document.value(), { error: plainMessage, reportInput: true })
  const result = parse()
  const mistyped = (result.error?.issues ?? []).filter(isMistyped)
  if (mistyped.length === 0) return result
  for (const { path } of mistyped) document.retype(path)
  return parse()
}

function isMistyped(issue: z.core.$ZodIssue): boolean {
  if (issue.code === 'invalid_union') return issue.errors.flat().some(isMistyped)
  return (
    issue.code === 'invalid_type' && (issue.expected === 'number' || issue.expected === 'boolean')
  )
}

/** In the order of the file, one for each place: what follows from the first mistake is noise. */
function problemsOf(faults: readonly Fault[], document: Document, file: string): Problem[] {
  const byPath = new Map<string, Problem>()
  for (const { path, message, atKey } of faults) {
    const subject = formatPath(path)
    if (byPath.has(subject)) continue
    byPath.set(subject, { file, ...document.locate(path, atKey), path: subject, message })
  }
  const syntax = document.syntaxFaults.map(({ line, column, message }) => {
    return { file, line, column, path: '', message }
  })
  return [...syntax, ...byPath.values()].sort((a, b) => a.line - b.line || a.column - b.column)
}
