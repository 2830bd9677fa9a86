import { parseArgs } from 'node:util'
import { loadFile, type Loaded } from '../config/load.ts'
import { printConfig } from '../config/print.ts'
import { ConfigError, formatProblem } from '../config/problem.ts'

const USAGE = 'usage: dpop-gateway check [gateway.yaml] [--print]'

interface Output {
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
}

/**
 * `check [file] [--print]`: says whether the gateway would start with the file. Gives the exit code:
 * 0, or 2 with every problem on standard error. `--print` shows the effective configuration.
 */
export function check(args: readonly string[], out: Output, env = process.env): number {
  const request = readArguments(args)
  if (request === undefined) {
    out.stderr.write(`${USAGE}\n`)
    return 2
  }
  try {
    const loaded = loadFile(request.file, env)
    if (request.print) out.stdout.write(printConfig(loaded))
    // Not among what was printed, which may go to a file.
    const stream = request.print ? out.stderr : out.stdout
    stream.write(`${request.file}: ok (${countsOf(loaded)})\n`)
    return 0
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    for (const problem of error.problems) out.stderr.write(`${formatProblem(problem)}\n`)
    return 2
  }
}

function readArguments(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { print: { type: 'boolean', default: false } },
      allowPositionals: true,
    })
    if (positionals.length > 1) return undefined
    return { file: positionals[0] ?? 'gateway.yaml', print: values.print }
  } catch {
    return undefined
  }
}

function countsOf({ config }: Loaded): string {
  const count = (amount: number, noun: string) => `${amount} ${noun}${amount === 1 ? '' : 's'}`
  const issuers = Object.keys(config.issuers).length
  return `${count(config.routes.length, 'route')}, ${count(issuers, 'issuer')}`
}
