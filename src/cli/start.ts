/** `start`: runs the gateway until a signal, or a bug, ends it. */
import { loadConfig } from '../config/load.ts'
import { ConfigError, formatProblem } from '../config/problem.ts'
import type { Config } from '../config/schema.ts'
import { createGateway, type Gateway } from '../gateway.ts'
import { createLogger, flushLog, type Logger } from '../log.ts'
import { createCommand, usageError } from './command.ts'

const USAGE = `usage: dpop-gateway start [--config gateway.yaml]

  --config FILE  The configuration. Default is gateway.yaml.
`

export const start = createCommand({
  name: 'start',
  usage: USAGE,
  options: { config: { type: 'string', default: 'gateway.yaml' } },
  async run({ config: path }, { stderr }) {
    const config = readConfig(path, stderr)
    const logger = createLogger(config.log)
    const gateway = createGateway(config, { logger })
    endOnBug(gateway, logger)
    await gateway.start().catch((error: unknown) => {
      throw usageError(error instanceof Error ? error.message : String(error))
    })
    await signalled()
    process.once('SIGTERM', exitNow).once('SIGINT', exitNow)
    await gateway.stop()
  },
})

function readConfig(path: string, stderr: NodeJS.WritableStream): Config {
  try {
    return loadConfig(path)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    for (const problem of error.problems) stderr.write(`${formatProblem(problem)}\n`)
    throw usageError('the configuration has mistakes')
  }
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
