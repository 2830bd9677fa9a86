/**
 * As many workers as were asked for. One that ends is replaced: soon at first, and ever later where
 * those that take its place do not last either.
 */
import cluster from 'node:cluster'
import { setTimeout as delay } from 'node:timers/promises'
import { createAssertionKey } from '../assertion.ts'
import type { Config } from '../config/schema.ts'
import { passOn, type Logger } from '../log.ts'
import { createColleague, type Colleague } from './colleague.ts'
import { WORKER_VARIABLE } from './protocol.ts'

export interface Crew {
  /** Resolves with where they listen. Rejects where one cannot. */
  readonly start: () => Promise<string>
  /** Those that serve, by their numbers. */
  readonly serving: () => ReadonlyMap<number, Colleague>
  /** Puts it in force at all of them. Rejects with the reason where the one before stays. */
  readonly replace: (config: Config) => Promise<void>
  /** Drains all, and resolves when they have ended. */
  readonly stop: () => Promise<void>
}

export interface CrewOptions {
  readonly size: number
  readonly logger: Logger
  readonly onRestart: () => void
}

const START_MS = 60_000
const REPLACE_MS = 60_000
/** What a worker may take to end beyond its drain. */
const STOP_GRACE_MS = 5_000
const RESTART_MS = { first: 500, longest: 30_000, lasting: 60_000 } as const

export function createCrew(initial: Config, { size, logger, onRestart }: CrewOptions): Crew {
  const serving = new Map<number, Colleague>()
  const assertionKey = createAssertionKey()
  const ended = new Set<Promise<unknown>>()
  let config = initial
  const stopping = new AbortController()
  const isStopping = () => stopping.signal.aborted

  async function launch(number: number): Promise<string> {
    const colleague = createColleague(cluster.fork({ [WORKER_VARIABLE]: String(number) }))
    ended.add(new Promise((resolve) => colleague.worker.once('exit', resolve)))
    const { stdout } = colleague.worker.process
    if (stdout) passOn(stdout)
    const given = config
    try {
      const address = await colleague.ask('start', { config: given, assertionKey }, START_MS)
      // Another one may have come in force while this worker began.
      if (given !== config) await colleague.ask('replace', config, REPLACE_MS)
      serving.set(number, colleague)
      logger.info({ worker: number, pid: colleague.worker.process.pid }, 'worker serves')
      return address
    } catch (error) {
      colleague.worker.process.kill('SIGKILL')
      throw error
    }
  }

  /** Replaces it when it ends, again and again. */
  async function keep(number: number): Promise<void> {
    let waitMs: number = RESTART_MS.first
    while (!isStopping()) {
      const since = performance.now()
      const exit = await exitOf(serving.get(number))
      serving.delete(number)
      if (isStopping()) return
      if (performance.now() - since > RESTART_MS.lasting) waitMs = RESTART_MS.first
      logger.error({ worker: number, ...exit }, `a worker has ended, next one in ${waitMs} ms`)
      await delay(waitMs, undefined, { signal: stopping.signal }).catch(() => undefined)
      if (isStopping()) return
      waitMs = Math.min(waitMs * 2, RESTART_MS.longest)
      onRestart()
      await launch(number).catch((error: unknown) => {
        logger.error({ worker: number, err: error }, 'a worker cannot start')
      })
    }
  }

  return {
    serving: () => serving,
    async start() {
      cluster.setupPrimary({
        serialization: 'advanced',
        stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      })
      const numbers = Array.from({ length: size }, (_, at) => at + 1)
      const [address = ''] = await Promise.all(numbers.map(launch))
      for (const number of numbers) void keep(number)
      return address
    },
    async replace(next) {
      const previous = config
      const colleagues = [...serving.values()]
      const faults = await Promise.all(colleagues.map((it) => replaceAt(it, next)))
      const fault = faults.find((it) => it !== undefined)
      if (fault === undefined) {
        config = next
        return
      }
      const changed = colleagues.filter((_, at) => faults[at] === undefined)
      await Promise.all(changed.map((it) => replaceAt(it, previous)))
      throw fault
    },
    async stop() {
      stopping.abort()
      const { drain } = config.server
      const timeoutMs = drain.delay + drain.timeout + STOP_GRACE_MS
      for (const { ask } of serving.values()) ask('stop', null, timeoutMs).catch(() => undefined)
      const force = setTimeout(killAll, timeoutMs)
      await Promise.all(ended)
      clearTimeout(force)
    },
  }
}

interface Exit {
  readonly code?: number | null
  readonly signal?: NodeJS.Signals | null
}

/** Of one that has ended already, or never began, nothing is known. */
function exitOf(colleague: Colleague | undefined): Promise<Exit> {
  if (!colleague || colleague.worker.isDead()) return Promise.resolve({})
  return new Promise((resolve) => {
    colleague.worker.once('exit', (code, signal) => {
      resolve({ code, signal: signal as NodeJS.Signals | null })
    })
  })
}

/** What is in the way. One that ends meanwhile is replaced by one with what is then in force. */
async function replaceAt({ worker, ask }: Colleague, config: Config): Promise<Error | undefined> {
  try {
    await ask('replace', config, REPLACE_MS)
    return undefined
  } catch (error) {
    if (worker.isDead()) return undefined
    return error instanceof Error ? error : new Error(String(error))
  }
}

function killAll(): void {
  for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGKILL')
}
