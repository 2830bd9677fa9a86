/**
 * `check`: says whether the gateway would start with a configuration, and every mistake if not;
 * with `--online` also whether its issuers are as it needs them.
 */
import type { Loaded } from '../config/load.ts'
import { looseSettings } from '../config/loose-settings.ts'
import { printConfig } from '../config/print.ts'
import type { Config } from '../config/schema.ts'
import { survey } from '../survey.ts'
import { commandError, createCommand } from './command.ts'
import { CONFIG_OPTION, readConfig } from './config.ts'
import { printSurvey } from './survey.ts'

export const check = createCommand({
  name: 'check',
  usage: `usage: dpop-gateway check [FILE | --config FILE] [--print] [--online]

Says every mistake in a configuration, with line and column, and what it leaves unchecked.

  --config FILE  The configuration. Default is gateway.yaml.
  --print        Prints what the gateway makes of it: defaults filled in, secrets redacted.
  --online       Tries the issuers too: their metadata, their keys, and introspection with a made-up
                 token. Exit code 2 if something would fail.
`,
  options: { ...CONFIG_OPTION, print: { type: 'boolean' }, online: { type: 'boolean' } },
  operand: 'optional',
  async run({ config, print, online }, { stdout, stderr }, operand) {
    const { file, loaded } = readConfig(config, operand, stderr)
    if (print) stdout.write(printConfig(loaded))
    // Not among what was printed, which may go to a file.
    const stream = print ? stderr : stdout
    stream.write(`${file}: ok (${countsOf(loaded)})\n`)
    for (const sentence of looseSettings(loaded.config)) stream.write(`  note: ${sentence}\n`)
    if (online) await tryIssuers(loaded.config, stream)
  },
})

/** Throws after all is printed. */
async function tryIssuers(config: Config, stream: NodeJS.WritableStream): Promise<void> {
  const issuers = await survey(config)
  stream.write(printSurvey(issuers))
  const failing = issuers.filter(({ findings }) => findings.some(({ level }) => level === 'fail'))
  if (failing.length === 0) return
  throw commandError(`would fail: issuer ${failing.map(({ name }) => name).join(', ')}`)
}

function countsOf({ config }: Loaded): string {
  const count = (amount: number, noun: string) => `${amount} ${noun}${amount === 1 ? '' : 's'}`
  const issuers = Object.keys(config.issuers).length
  return `${count(config.routes.length, 'route')}, ${count(issuers, 'issuer')}`
}
