/** Configurations put in force one after the other; the log and the metrics say how each went. */
import { looseSettings } from './config/loose-settings.ts'
import { ConfigError, formatProblem } from './config/problem.ts'
import type { Config } from './config/schema.ts'
import type { Logger } from './log.ts'

/**
 * Resolves with whether the new configuration is in force; where it is not, the one before stays.
 * `load` may throw a ConfigError.
 */
export type Reload = (load: () => Config) => Promise<boolean>

export interface ReloadOptions {
  readonly logger: Logger
  /** Rejects with the reason where it cannot be. */
  readonly put: (config: Config) => Promise<void>
  readonly onDone: (isInForce: boolean) => void
}

/** One at a time: what is asked for meanwhile comes after. */
export function createReload({ logger, put, onDone }: ReloadOptions): Reload {
  let last = Promise.resolve(true)

  async function attempt(load: () => Config): Promise<boolean> {
    try {
      const config = load()
      await put(config)
      for (const sentence of looseSettings(config)) logger.warn(sentence)
      logger.info({ routes: config.routes.length }, 'configuration reloaded')
      onDone(true)
      return true
    } catch (error) {
      for (const reason of reasonsOf(error)) {
        logger.error({ reason }, 'configuration not reloaded, the one before stays in force')
      }
      onDone(false)
      return false
    }
  }

  return (load) => {
    last = last.then(() => attempt(load))
    return last
  }
}

function reasonsOf(error: unknown): readonly string[] {
  if (error instanceof ConfigError) return error.problems.map(formatProblem)
  return [error instanceof Error ? error.message : String(error)]
}
