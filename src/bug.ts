/** After a bug that nobody caught the state is unknown: finish what is under way, then end. */
import { flushLog, type Logger } from './log.ts'

/** `stop` drains. The exit code is 1. */
export function endOnBug(stop: () => Promise<void>, logger: Logger): void {
  process.once('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'a bug ends this process')
    process.exitCode = 1
    void stop()
      .then(() => flushLog(logger))
      .finally(() => process.exit())
  })
}
