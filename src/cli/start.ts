/** `start`: runs the gateway until a signal, or a bug, ends it. */
import { availableParallelism } from 'node:os'
import { endOnBug } from '../end-on-bug.ts'
import type { Config } from '../config/schema.ts'
import { createGateway, type Gateway } from '../gateway.ts'
import { createLogger, type Logger } from '../log.ts'
import { createPrimary } from '../workers/primary.ts'
import { runWorker, workerNumber } from '../workers/worker.ts'
import { commandError, createCommand } from './command.ts'
import { CONFIG_OPTION, readConfig, type Named } from './config.ts'
import { reloadOnChange } from './reload.ts'

const USAGE = `usage: dpop-gateway start [FILE | --config FILE]

Runs the gateway until SIGTERM or SIGINT ends it; a second one does so at once. SIGHUP reloads the
configuration.

  --config FILE  The configuration. Default is gateway.yaml.
`

export const start = createCommand({
  name: 'start',
  usage: USAGE,
  options: CONFIG_OPTION,
  operand: 'optional',
  async run({ config: option }, { stderr }, operand) {
    const worker = workerNumber()
    if (worker !== undefined) {
      runWorker(worker)
      return
    }
    const { gateway, endReloads } = prepare(readConfig(option, operand, stderr))
    await gateway.start().catch((error: unknown) => {
      throw commandError(error instanceof Error ? error.message : String(error))
    })
    await signalled()
    endReloads()
    // From here on a hangup changes nothing: without a listener it would end the process.
    process.on('SIGHUP', () => undefined)
    process.once('SIGTERM', exitNow).once('SIGINT', exitNow)
    await gateway.stop()
    // By itself the process waits for whoever is to read its log.
    setTimeout(exitNow, 100).unref()
  },
})

/** By itself, so that what waits for the end does not keep the loaded document in memory until then. */
function prepare({ file, loaded }: Named) {
  const logger = createLogger(loaded.config.log)
  const gateway = createOneOrMore(loaded.config, logger)
  endOnBug(() => gateway.stop(), logger)
  return { gateway, endReloads: reloadOnChange(gateway, file, loaded) }
}

function createOneOrMore(config: Config, logger: Logger): Gateway {
  const { workers } = config.server
  const size = workers === 'auto' ? availableParallelism() : workers
  return size === 1 ? createGateway(config, { logger }) : createPrimary(config, size, logger)
}

function signalled(): Promise<void> {
  return new Promise((resolve) => {
    const onSignal = () => {
      process.off('SIGTERM', onSignal).off('SIGINT', onSignal)
      resolve()
    }
    process.on('SIGTERM', onSignal).on('SIGINT', onSignal)
  })
}

function exitNow(): void {
  process.exit()
}
