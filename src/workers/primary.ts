/**
 * The gateway as several processes. This one owns the signals, the configuration and the listener
 * for the operator; its workers serve the traffic, each with connections and caches of its own.
 */
import { createCrewMetrics } from '../admin/crew-metrics.ts'
import { createAdminServer, type Component, type Components } from '../admin/server.ts'
import { looseSettings } from '../config/loose-settings.ts'
import type { Config } from '../config/schema.ts'
import type { Gateway } from '../gateway.ts'
import { closeWithin, listen } from '../http/listener.ts'
import { flushLog, type Logger } from '../log.ts'
import { createReload } from '../reloads.ts'
import { createCrew, type Crew } from './crew.ts'
import type { Questions } from './protocol.ts'

const ANSWER_MS = 1_000

/** `size` is the number of workers. */
export function createPrimary(config: Config, size: number, logger: Logger): Gateway {
  let isDraining = false
  const restarted = () => {
    metrics.restarted()
  }
  const crew = createCrew(config, { size, logger, onRestart: restarted })
  const metrics = createCrewMetrics({
    snapshots: async () => [...(await askAll(crew, 'metrics')).values()],
    running: () => crew.serving().size,
  })
  const components = async () => ({
    ...merge(await askAll(crew, 'components'), size),
    ...(isDraining && { gateway: { ready: false, reason: 'draining' } }),
  })
  const adminServer = createAdminServer({ metrics, components, keySet: () => askAny(crew) })
  return {
    async start() {
      for (const sentence of looseSettings(config)) logger.warn(sentence)
      try {
        const addresses = {
          admin: await listen(adminServer, config.admin.listen),
          traffic: await crew.start(),
        }
        logger.info({ ...addresses, routes: config.routes.length, workers: size }, 'listening')
        return addresses
      } catch (error) {
        await Promise.all([crew.stop(), closeWithin(adminServer, 0)])
        throw error
      }
    },
    reload: createReload({ logger, put: crew.replace, onDone: metrics.reloaded }),
    async stop() {
      isDraining = true
      logger.info('draining')
      await crew.stop()
      await closeWithin(adminServer, 0)
      logger.info('stopped')
      await flushLog(logger)
    },
  }
}

/** The answers by the numbers of the workers; undefined of one that does not answer in time. */
async function askAll<K extends 'components' | 'metrics'>(
  crew: Crew,
  kind: K,
): Promise<ReadonlyMap<number, Questions[K]['answer'] | undefined>> {
  const asked = [...crew.serving()].map(
    async ([number, { ask }]) =>
      [number, await ask(kind, null, ANSWER_MS).catch(() => undefined)] as const,
  )
  return new Map(await Promise.all(asked))
}

/** They all have the same. Rejects where none runs. */
function askAny(crew: Crew): Promise<string> {
  const [first] = crew.serving().values()
  return first ? first.ask('keySet', null, ANSWER_MS) : Promise.reject(new Error('no worker runs'))
}

/** A component is ready where it is at all workers; of one that is not the first to say so counts. */
function merge(answers: ReadonlyMap<number, Components | undefined>, size: number): Components {
  const merged: Record<string, Component> = {}
  for (const [number, components] of answers) {
    for (const [name, component] of Object.entries(components ?? {})) {
      if (merged[name]?.ready === false) continue
      const { ready, reason = 'not ready' } = component
      merged[name] = ready ? component : { ready, reason: `worker ${number}: ${reason}` }
    }
  }
  return { ...merged, workers: judge(answers, size) }
}

/** Those that run serve all: one that is being replaced is missed by nobody. */
function judge(answers: ReadonlyMap<number, unknown>, size: number): Component {
  const silent = [...answers].find(([, answer]) => answer === undefined)
  if (silent) return { ready: false, reason: `worker ${silent[0]} does not answer` }
  if (answers.size === 0) return { ready: false, reason: `none of ${size} runs` }
  return { ready: true }
}
