#!/usr/bin/env node
/** The command line: picks the command and gives its exit code. */
import { readFileSync } from 'node:fs'
import { isHelp, type Command } from './cli/command.ts'

const USAGE = `usage: dpop-gateway <command> [options]

  start   Run the gateway.
  check   Say every mistake in a configuration, with line and column.
  keygen  Make a key for a client.
  proof   Sign a DPoP proof, or print a curl command with one.
  health  Ask a running gateway whether it is ready.
  schema  Print the JSON Schema of gateway.yaml.

  dpop-gateway <command> --help says more. --version prints the version.
`

/** Each loads what it needs and no more: a health check is made every few seconds. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import('./cli/start.ts')).start,
  check: async () => (await import('./cli/check.ts')).check,
  keygen: async () => (await import('./cli/keygen.ts')).keygen,
  proof: async () => (await import('./cli/proof.ts')).proof,
  health: async () => (await import('./cli/health.ts')).health,
  schema: async () => (await import('./cli/schema.ts')).schema,
}

async function main([name = '', ...args]: readonly string[]): Promise<number> {
  if (name === '--version') {
    process.stdout.write(`${version()}\n`)
    return 0
  }
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (load) {
    const command = await load()
    return command(args, process)
  }
  if (isHelp(name) || name === 'help') {
    process.stdout.write(USAGE)
    return 0
  }
  process.stderr.write(USAGE)
  // Last, so that it stands next to the prompt.
  if (name !== '') process.stderr.write(`\ndpop-gateway: unknown command ${JSON.stringify(name)}\n`)
  return 2
}

function version(): string {
  const manifest: unknown = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  )
  return (manifest as { version: string }).version
}

process.exitCode = await main(process.argv.slice(2))
