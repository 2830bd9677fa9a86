/** The configuration a command works with: which file it is, and what is in it. */
import { loadFile, type Loaded } from '../config/load.ts'
import { ConfigError, formatProblem } from '../config/problem.ts'
import { commandError } from './command.ts'

/** What `--config` is for the commands that read the file, beside its name without the option. */
export const CONFIG_OPTION = { config: { type: 'string' } } as const

export interface Named {
  /** What the user called it, for messages. */
  readonly file: string
  readonly loaded: Loaded
}

/** Prints every mistake before it throws. */
export function readConfig(
  option: string | undefined,
  operand: string | undefined,
  stderr: NodeJS.WritableStream,
): Named {
  if (option !== undefined && operand !== undefined) {
    throw commandError(`--config: ${operand} is given as the file already`)
  }
  const file = option ?? operand ?? 'gateway.yaml'
  try {
    return { file, loaded: loadFile(file) }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    for (const problem of error.problems) stderr.write(`${formatProblem(problem)}\n`)
    throw commandError('the configuration has mistakes')
  }
}
