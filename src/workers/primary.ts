/**
 * The gateway as several processes. This one owns the signals, the configuration and the listener
 * for the operator; its workers serve the traffic, each with connections and caches of its own.
 */
import { createPoolMetrics } from '../admin/pool-metrics.ts'
import { createAdminServer, type Component, type Components } from '../admin/server.ts'
import { looseSettings } from '../config/loose-settings.ts'
import type { Config } from '../config/schema.ts'
import type { Gateway } from '../gateway.ts'
import { closeWithin, listen, removeStaleSocket } from '../http/listener.ts'
import { flushLog, type Logger } from '../log.ts'
import { createReload } from '../reload.ts'
import { createPool, type Pool } from './pool.ts'
import type { Questions } from './protocol.ts'

const ANSWER_MS = 1_000

/** `size` is the number of workers. */
export function createPrimary(config: Config, size: number, logger: Logger): Gateway {
  let isDraining = false
  const restarted = () => {
    metrics.restarted()
  }
  const pool = createPool(config, { size, logger, onRestart: restarted })
  const metrics = createPoolMetrics({
    snapshots: async () => (await askAll(pool, 'metrics')).map(({ id, answer }) => [id, answer]),
    running: () => pool.serving().size,
  })
  const components = async () => ({
    ...merge(await askAll(pool, 'components'), size),
    ...(isDraining && { gateway: { ready: false, reason: 'draining' } }),
  })
  const adminServer = createAdminServer({ metrics, components, keySet: () => askAny(pool) })
  return {
    async start() {
      for (const sentence of looseSettings(config)) logger.warn(sentence)
      try {
        await Promise.all([config.server.listen, config.admin.listen].map(removeStaleSocket))
        const addresses = {
          admin: await listen(adminServer, config.admin.listen),
          traffic: await pool.start(),
        }
        logger.info({ ...addresses, routes: config.routes.length, workers: size }, 'listening')
        return addresses
      } catch (error) {
        await Promise.all([pool.stop(), closeWithin(adminServer, 0)])
        throw error
      }
    },
    reload: createReload({ logger, put: pool.replace, onDone: metrics.reloaded }),
    async stop() {
      isDraining = true
      logger.info('draining')
      await pool.stop()
      await closeWithin(adminServer, 0)
      logger.info('stopped')
      await flushLog(logger)
    },
  }
}

interface Answer<K extends keyof Questions> {
  readonly number: number
  readonly id: number
  /** Undefined of a worker that does not answer in time. */
  readonly answer: Questions[K]['answer'] | undefined
}

function askAll<K extends 'components' | 'metrics'>(
  pool: Pool,
  kind: K,
): Promise<readonly Answer<K>[]> {
  const asked = [...pool.serving()].map(async ([number, { id, ask }]) => {
    return { number, id, answer: await ask(kind, null, ANSWER_MS).catch(() => undefined) }
  })
  return Promise.all(asked)
}

/** They all have the same. Rejects where none runs. */
function askAny(pool: Pool): Promise<string> {
  const [first] = pool.serving().values()
  return first ? first.ask('keySet', null, ANSWER_MS) : Promise.reject(new Error('no worker runs'))
}

/** A component is ready where it is at all workers; of one that is not the first to say so counts. */
function merge(answers: readonly Answer<'components'>[], size: number): Components {
  const merged: Record<string, Component> = {}
  for (const { number, answer = {} } of withoutLeaving(answers)) {
    for (const [name, component] of Object.entries(answer)) {
      if (merged[name]?.ready === false) continue
      const { ready, reason = 'not ready' } = component
      merged[name] = ready ? component : { ready, reason: `worker ${number}: ${reason}` }
    }
  }
  return { ...merged, workers: judge(answers, size) }
}

/** One that drains by itself, after a bug, takes no more connections soon: the others count. */
function withoutLeaving(answers: readonly Answer<'components'>[]): readonly Answer<'components'>[] {
  const staying = answers.filter(({ answer }) => answer?.['gateway']?.ready !== false)
  return staying.length > 0 ? staying : answers
}

/** Those that run serve all: one that is being replaced is missed by nobody. */
function judge(answers: readonly Answer<'components'>[], size: number): Component {
  const silent = answers.find(({ answer }) => answer === undefined)
  if (silent) return { ready: false, reason: `worker ${silent.number} does not answer` }
  if (answers.length === 0) return { ready: false, reason: `none of ${size} runs` }
  return { ready: true }
}
