/** What the commands that print and exit have in common: strict options, and one line per mistake. */
import { parseArgs, type ParseArgsConfig } from 'node:util'

/** The streams a command may touch, so that a test runs one without a process. */
export interface Io {
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
  readonly stdin: NodeJS.ReadableStream
}

/** Runs with the arguments after its name and gives the exit code: 0, or 2 for bad input. */
export type Command = (args: readonly string[], io: Io) => Promise<number>

type Options = NonNullable<ParseArgsConfig['options']>
type Values<O extends Options> = ReturnType<typeof parseArgs<{ options: O }>>['values']

interface Definition<O extends Options> {
  readonly name: string
  readonly usage: string
  readonly options: O
  readonly run: (values: Values<O>, io: Io) => Promise<void>
}

export function createCommand<const O extends Options>(definition: Definition<O>): Command {
  const { name, usage, options, run } = definition
  return async (args, io) => {
    if (args.includes('--help')) {
      io.stdout.write(usage)
      return 0
    }
    try {
      await run(parseStrictly(args, options), io)
      return 0
    } catch (error) {
      if (!isUsageError(error)) throw error
      // What parseArgs says after its first line is advice on a syntax that is not used here.
      const line = error.message.split('\n', 1)[0]?.replace(/\. To specify a positional.*/, '')
      io.stderr.write(`dpop-gateway ${name}: ${line ?? ''}\n`)
      return 2
    }
  }
}

/** A mistake in what the user typed or in a file the user named; `message` is one line. */
export function usageError(message: string): Error {
  return Object.assign(new Error(message), { code: 'ERR_USAGE' })
}

/** The system's word for why a file operation failed, such as ENOENT. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
}

function isUsageError(error: unknown): error is Error {
  return error instanceof Error && /^ERR_(USAGE|PARSE_ARGS)/.test(errorCode(error))
}

function parseStrictly<O extends Options>(args: readonly string[], options: O): Values<O> {
  const { values, tokens } = parseArgs({ args: [...args], options, strict: true, tokens: true })
  const seen = new Set<string>()
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    // parseArgs keeps the last of two, which is not always the one that was meant.
    if (seen.has(token.name)) throw usageError(`--${token.name}: given more than once`)
    seen.add(token.name)
  }
  return values
}
