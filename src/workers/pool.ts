/** As many workers as were asked for, all with the same configuration. One that ends is replaced. */
import cluster from 'node:cluster'
import { setTimeout as delay } from 'node:timers/promises'
import { createAssertionKey } from '../assertion.ts'
import { addLengthening, outlivedSeconds } from '../compose/retention.ts'
import { requireSameProcess } from '../config/fixed-settings.ts'
import type { Config } from '../config/schema.ts'
import { passOn, type Logger } from '../log.ts'
import { createBackoff } from './backoff.ts'
import { WORKER_VARIABLE, type StartOptions } from './protocol.ts'
import { createTurns } from './turns.ts'
import { createWorkerHandle, isRefusal, type WorkerHandle } from './worker-handle.ts'

export interface Pool {
  /** Resolves with where they listen. Rejects where one cannot. */
  readonly start: () => Promise<string>
  /** Those that serve, by their numbers. */
  readonly serving: () => ReadonlyMap<number, WorkerHandle>
  /** Puts it in force at all of them. Rejects with the reason where the one before stays. */
  readonly replace: (config: Config) => Promise<void>
  /** Drains all, and resolves when they have ended. */
  readonly stop: () => Promise<void>
}

export interface PoolOptions {
  readonly size: number
  readonly logger: Logger
  readonly onRestart: () => void
}

const START_MS = 60_000
/** More than new issuers get to be ready. */
const REPLACE_MS = 30_000
/** What a worker may take to end beyond its drain. */
const STOP_GRACE_MS = 5_000

export function createPool(initial: Config, { size, logger, onRestart }: PoolOptions): Pool {
  const serving = new Map<number, WorkerHandle>()
  const ended = new Set<Promise<unknown>>()
  const stopping = new AbortController()
  const isStopping = () => stopping.signal.aborted
  /** While one configuration is put in force no worker joins: it would have the one before. */
  const inTurn = createTurns()
  let inForce: StartOptions = {
    config: initial,
    assertionKey: createAssertionKey(),
    lengthened: undefined,
  }

  async function launch(number: number): Promise<string> {
    const handle = fork(number)
    ended.add(handle.ended)
    const given = inForce
    try {
      const address = await handle.ask('start', given, START_MS)
      await inTurn(async () => {
        if (given !== inForce) await handle.ask('replace', inForce.config, REPLACE_MS)
        serving.set(number, handle)
      })
      logger.info({ worker: number, pid: handle.pid }, 'worker serves')
      return address
    } catch (error) {
      handle.kill()
      throw error
    }
  }

  /** Replaces it when it ends, again and again. */
  async function keep(number: number): Promise<void> {
    const backoff = createBackoff()
    while (!isStopping()) {
      const since = performance.now()
      const exit = await serving.get(number)?.ended
      serving.delete(number)
      if (isStopping()) return
      const waitMs = backoff.next(performance.now() - since)
      logger.error({ worker: number, ...exit }, `a worker has ended, next one in ${waitMs} ms`)
      await delay(waitMs, undefined, { signal: stopping.signal }).catch(() => undefined)
      if (isStopping()) return
      onRestart()
      await launch(number).catch((error: unknown) => {
        if (!isStopping()) logger.error({ worker: number, err: error }, 'a worker cannot start')
      })
    }
  }

  async function replace(config: Config): Promise<void> {
    requireSameProcess(inForce.config, config)
    const handles = [...serving.values()]
    if (handles.length === 0) throw new Error('no worker serves at the moment')
    const refusals = await Promise.all(handles.map((handle) => tryReplace(handle, config)))
    const refusal = refusals.find((it) => it !== undefined)
    if (refusal) {
      const changed = handles.filter((_, at) => refusals[at] === undefined)
      await Promise.all(changed.map((handle) => takeBack(handle, inForce.config)))
      throw refusal
    }
    const fromSeconds = outlivedSeconds(inForce.config, config)
    const lengthened = addLengthening(inForce.lengthened, fromSeconds, Date.now() / 1000)
    inForce = { ...inForce, config, lengthened }
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
    replace: (config) => inTurn(() => replace(config)),
    async stop() {
      stopping.abort()
      const { drain } = inForce.config.server
      const timeoutMs = drain.delay + drain.timeout + STOP_GRACE_MS
      const handles = new Set([...serving.values()].map(({ id }) => id))
      for (const { ask } of serving.values()) ask('stop', null, timeoutMs).catch(() => undefined)
      // Those that do not serve yet have nothing to finish.
      killAll((id) => !handles.has(id))
      const force = setTimeout(killAll, timeoutMs)
      await Promise.all(ended)
      clearTimeout(force)
    },
  }
}

function fork(number: number): WorkerHandle {
  const worker = cluster.fork({ [WORKER_VARIABLE]: String(number) })
  const { stdout } = worker.process
  if (stdout) passOn(stdout)
  return createWorkerHandle(worker)
}

/** Resolves with its reason where the worker refuses. One that does not answer is replaced. */
async function tryReplace(handle: WorkerHandle, config: Config): Promise<Error | undefined> {
  try {
    await handle.ask('replace', config, REPLACE_MS)
    return undefined
  } catch (error) {
    if (isRefusal(error)) return error
    handle.kill()
    return undefined
  }
}

async function takeBack(handle: WorkerHandle, config: Config): Promise<void> {
  await handle.ask('replace', config, REPLACE_MS).catch(() => {
    handle.kill()
  })
}

function killAll(isMeant: (id: number) => boolean = () => true): void {
  for (const worker of Object.values(cluster.workers ?? {})) {
    if (worker && isMeant(worker.id)) worker.process.kill('SIGKILL')
  }
}
