/** The log: one JSON object a line on standard output. The only importer of pino. */
import type { Readable } from 'node:stream'
import { pino, type DestinationStream, type Logger } from 'pino'
import { createBacklog, type Backlog } from './backlog.ts'

export type { Logger }

export interface LogOptions {
  readonly level: string
}

const COMMON = { base: null, timestamp: createTimestamp(Date.now) }
/** Of the process: there is one standard output. */
let standardOutput: Backlog | undefined

/** `stream` takes the lines. Default is standard output, for which nobody ever waits. */
export function createLogger({ level }: LogOptions, stream?: DestinationStream): Logger {
  return pino({ ...COMMON, level }, stream ?? (standardOutput ??= openStandardOutput()))
}

/**
 * The field `time` of a line, RFC 3339 in UTC with milliseconds; `clock` tells epoch milliseconds.
 * All that a second has in common is written once: it is most of what pino's own costs a line.
 */
export function createTimestamp(clock: () => number): () => string {
  let second = NaN
  let beginning = ''
  return () => {
    const now = clock()
    const current = Math.floor(now / 1000)
    if (current !== second) {
      second = current
      beginning = `,"time":"${new Date(current * 1000).toISOString().slice(0, -'000Z'.length)}`
    }
    return `${beginning}${String(now - current * 1000).padStart(3, '0')}Z"`
  }
}

/**
 * As Node has it and not by pino's own writer: Node does not block on a pipe that is full. The other
 * one does, on a thread that then keeps the process from ending.
 */
function openStandardOutput(): Backlog {
  const { stdout } = process
  const backlog = createBacklog(stdout, {
    onRecovery: (lines) => {
      pino(COMMON, backlog).warn({ lines }, 'nobody read the log: lines were lost')
    },
  })
  stdout.on('error', () => undefined) // Counted as lost: that nobody reads ends no gateway.
  process.once('exit', backlog.abandon)
  return backlog
}

/**
 * Lines of another process, each as a whole: what several processes write to one pipe can be mixed
 * in the middle of a line.
 */
export function passOn(lines: Readable): void {
  const output = (standardOutput ??= openStandardOutput())
  let rest = ''
  lines.setEncoding('utf8').on('data', (text: string) => {
    const end = text.lastIndexOf('\n') + 1
    if (end > 0) output.write(rest + text.slice(0, end))
    rest = end > 0 ? text.slice(end) : rest + text
  })
}

/** Lines of this process that were dropped because nobody read them. */
export function lostLines(): number {
  return standardOutput?.lost() ?? 0
}

/** How long the end of a process waits for somebody to read. */
const FLUSH_MS = 2000

/** Resolves when what was logged is written, or nobody has read it for 2 seconds. */
export function flushLog(logger: Logger): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, FLUSH_MS)
    logger.flush(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}
