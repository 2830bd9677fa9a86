/** The log: one JSON object a line on standard output. The only importer of pino. */
import { destination, pino, type DestinationStream, type Logger } from 'pino'

export type { Logger }

export interface LogOptions {
  readonly level: string
}

/** `stream` takes the lines. Default is standard output. */
export function createLogger({ level }: LogOptions, stream = standardOutput()): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, stream)
}

/**
 * Lines are written in blocks and at the latest every 100 ms, so that a slow reader of standard
 * output does not hold up requests; beyond 8 MiB of lines that nobody reads, lines are dropped.
 */
function standardOutput(): DestinationStream {
  return destination({
    fd: 1,
    sync: false,
    minLength: 64 * 1024,
    maxWrite: 128 * 1024,
    periodicFlush: 100,
    maxLength: 8 * 1024 * 1024,
  })
}

/** Resolves when what was logged is written. */
export function flushLog(logger: Logger): Promise<void> {
  return new Promise((resolve) => {
    logger.flush(() => {
      resolve()
    })
  })
}
