/** After a bug that nobody caught the state is unknown: finish what is under way, then end. */
import { flushLog, type Logger } from './log.ts'

/** `stop` drains. The exit code is 1. Further bugs meanwhile are logged and change nothing. */
export function endOnBug(stop: () => Promise<void>, logger: Logger): void {
  let isEnding = false
  process.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'a bug ends this process')
    if (isEnding) return
    isEnding = true
    process.exitCode = 1
    void stop()
      .then(() => flushLog(logger))
      .finally(() => process.exit())
  })
}
