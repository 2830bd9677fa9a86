/** `start`: runs the gateway until a signal, or a bug, ends it. */
import { createGateway, type Gateway } from '../gateway.ts'
import { createLogger, flushLog, type Logger } from '../log.ts'
import { commandError, createCommand } from './command.ts'
import { CONFIG_OPTION, readConfig } from './config.ts'

const USAGE = `usage: dpop-gateway start [FILE | --config FILE]

Runs the gateway until a signal ends it.

  --config FILE  The configuration. Default is gateway.yaml.
`

export const start = createCommand({
  name: 'start',
  usage: USAGE,
  options: CONFIG_OPTION,
  operand: 'optional',
  async run({ config: option }, { stderr }, operand) {
    const { config } = readConfig(option, operand, stderr).loaded
    const logger = createLogger(config.log)
    const gateway = createGateway(config, { logger })
    endOnBug(gateway, logger)
    await gateway.start().catch((error: unknown) => {
      throw commandError(error instanceof Error ? error.message : String(error))
    })
    await signalled()
    process.once('SIGTERM', exitNow).once('SIGINT', exitNow)
    await gateway.stop()
  },
})

function signalled(): Promise<void> {
  return new Promise((resolve) => {
    const onSignal = () => {
      process.off('SIGTERM', onSignal).off('SIGINT', onSignal)
      resolve()
    }
    process.on('SIGTERM', onSignal).on('SIGINT', onSignal)
  })
}

/** After a bug that nobody caught the state is unknown: finish what is under way, then end. */
function endOnBug(gateway: Gateway, logger: Logger): void {
  process.once('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'a bug ends this process')
    process.exitCode = 1
    void gateway
      .stop()
      .then(() => flushLog(logger))
      .finally(exitNow)
  })
}

/** With the exit code set before, if any. */
function exitNow(): void {
  process.exit()
}
