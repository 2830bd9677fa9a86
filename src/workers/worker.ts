/** A worker: one instance that does what the primary process asks for, and ends with it. */
import cluster from 'node:cluster'
import { endOnBug } from '../end-on-bug.ts'
import { createInstance, type Instance } from '../compose/instance.ts'
import { createLogger, flushLog, type Logger } from '../log.ts'
import { HERE, WORKER_VARIABLE, type Answers, type Question, type Reply } from './protocol.ts'

const END_MS = 500
/** What is under way gets that long where the primary is gone: another gateway may wait for the port. */
const ORPHAN_MS = 10_000

/** The number of this worker; undefined where this process is none. */
export function workerNumber(): number | undefined {
  const number = process.env[WORKER_VARIABLE]
  return number === undefined || !process.send ? undefined : Number(number)
}

/** Serves until the primary process says otherwise, or is gone. */
export function runWorker(number: number): void {
  const answers = createAnswers(number)
  process.on('message', (question: Question) => {
    void answer(question, answers).then(say)
  })
  // What is sent to a process before it listens is lost.
  say({ id: HERE, answer: null })
  // Of the signals that a terminal or a service manager sends to all of us the primary makes sense.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, ignore)
  // Node would end this process at once where its primary is gone, and with it what is under way.
  if (cluster.worker) cluster.worker.exitedAfterDisconnect = true
  process.once('disconnect', () => {
    void answers.stop(null)
    setTimeout(() => process.exit(), ORPHAN_MS).unref()
  })
}

function createAnswers(number: number): Answers {
  let instance: Instance | undefined
  let logger: Logger | undefined
  const running = () => {
    if (!instance) throw new Error('the worker has not started')
    return instance
  }
  return {
    start({ config, ...options }) {
      logger = createLogger(config.log).child({ worker: number })
      instance = createInstance(config, { logger, ...options })
      endOnBug(instance.stop, logger)
      return instance.start()
    },
    async replace(config) {
      await running().replace(config)
      return null
    },
    async stop() {
      await instance?.stop()
      if (logger) await flushLog(logger)
      // After the answer. What nobody reads, of the log or else, must not keep this process.
      setImmediate(() => {
        if (process.connected) process.disconnect()
      })
      setTimeout(() => process.exit(), END_MS).unref()
      return null
    },
    components: () => running().components(),
    keySet: () => running().keySet(),
    metrics: () => running().metrics.snapshot(),
  }
}

async function answer({ id, kind, with: value }: Question, answers: Answers): Promise<Reply> {
  try {
    return { id, answer: await answers[kind](value as never) }
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) }
  }
}

/** Where the primary is gone there is nobody to answer. */
function say(reply: Reply): void {
  process.send?.(reply, undefined, {}, ignore)
}

function ignore(): void {
  // The primary process decides.
}
