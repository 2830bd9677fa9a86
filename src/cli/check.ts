/** `check`: says whether the gateway would start with a configuration, and every mistake if not. */
import type { Loaded } from '../config/load.ts'
import { looseSettings } from '../config/loose-settings.ts'
import { printConfig } from '../config/print.ts'
import { createCommand } from './command.ts'
import { CONFIG_OPTION, readConfig } from './config.ts'

export const check = createCommand({
  name: 'check',
  usage: `usage: dpop-gateway check [FILE | --config FILE] [--print]

Says every mistake in a configuration, with line and column, and what it leaves unchecked.

  --config FILE  The configuration. Default is gateway.yaml.
  --print        Prints what the gateway makes of it: defaults filled in, secrets redacted.
`,
  options: { ...CONFIG_OPTION, print: { type: 'boolean' } },
  operand: 'optional',
  run({ config, print }, { stdout, stderr }, operand) {
    const { file, loaded } = readConfig(config, operand, stderr)
    if (print) stdout.write(printConfig(loaded))
    // Not among what was printed, which may go to a file.
    const stream = print ? stderr : stdout
    stream.write(`${file}: ok (${countsOf(loaded)})\n`)
    for (const sentence of looseSettings(loaded.config)) stream.write(`  note: ${sentence}\n`)
  },
})

function countsOf({ config }: Loaded): string {
  const count = (amount: number, noun: string) => `${amount} ${noun}${amount === 1 ? '' : 's'}`
  const issuers = Object.keys(config.issuers).length
  return `${count(config.routes.length, 'route')}, ${count(issuers, 'issuer')}`
}
