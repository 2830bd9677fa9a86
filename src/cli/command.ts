/** What all commands have in common: strict arguments, help, and one line for what went wrong. */
import { parseArgs, type ParseArgsConfig } from 'node:util'

/** The streams a command may touch, so that a test runs one without a process. */
export interface Io {
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
  readonly stdin: NodeJS.ReadableStream
}

/** Runs with the arguments after its name and gives the exit code: 0, or 2 after a commandError. */
export type Command = (args: readonly string[], io: Io) => Promise<number>

type Options = NonNullable<ParseArgsConfig['options']>
type Values<O extends Options> = ReturnType<typeof parseArgs<{ options: O }>>['values']

interface Definition<O extends Options> {
  readonly name: string
  readonly usage: string
  readonly options: O
  /** Whether one argument may stand without an option. Default is none. */
  readonly operand?: 'optional'
  readonly run: (values: Values<O>, io: Io, operand: string | undefined) => Promise<void> | void
}

export function createCommand<const O extends Options>(definition: Definition<O>): Command {
  const { name, usage, run } = definition
  return async (args, io) => {
    if (args.some(isHelp)) {
      io.stdout.write(usage)
      return 0
    }
    try {
      const { values, operand } = parseStrictly(args, definition)
      await run(values, io, operand)
      return 0
    } catch (error) {
      if (!isCommandError(error)) throw error
      // What parseArgs says after its first line is advice on a syntax that is not used here.
      const line = error.message.split('\n', 1)[0]?.replace(/\. To specify a positional.*/, '')
      io.stderr.write(`dpop-gateway ${name}: ${line ?? ''}\n`)
      return 2
    }
  }
}

/** Whether an argument asks what the arguments are. */
export function isHelp(arg: string): boolean {
  return arg === '--help' || arg === '-h'
}

/**
 * Why a command did not do what it was asked, where that is no bug: a mistake in what the user typed
 * or in a file, a port in use, a gateway that is not ready. `message` is one line.
 */
export function commandError(message: string): Error {
  return Object.assign(new Error(message), { code: 'ERR_COMMAND' })
}

/** The system's word for why a file operation failed, such as ENOENT. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
}

function isCommandError(error: unknown): error is Error {
  return error instanceof Error && /^ERR_(COMMAND|PARSE_ARGS)/.test(errorCode(error))
}

function parseStrictly<O extends Options>(
  args: readonly string[],
  { options, operand: allowed }: Definition<O>,
): { readonly values: Values<O>; readonly operand: string | undefined } {
  const { values, positionals, tokens } = parseArgs({
    args: [...args],
    options,
    allowPositionals: allowed !== undefined,
    strict: true,
    tokens: true,
  })
  const seen = new Set<string>()
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    // parseArgs keeps the last of two, which is not always the one that was meant.
    if (seen.has(token.name)) throw commandError(`--${token.name}: given more than once`)
    seen.add(token.name)
  }
  const [operand, surplus] = positionals
  if (surplus !== undefined) throw commandError(`Unexpected argument '${surplus}'`)
  return { values, operand }
}
