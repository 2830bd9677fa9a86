/** The gateway as a whole: what serves the traffic, and the listener for the operator. */
import { createAdminServer } from './admin/server.ts'
import { looseSettings } from './config/loose-settings.ts'
import type { Config } from './config/schema.ts'
import { closeWithin, listen, removeStaleSocket } from './http/listener.ts'
import { createInstance } from './compose/instance.ts'
import { createLogger, flushLog, type Logger } from './log.ts'
import { createReload, type Reload } from './reload.ts'

export interface Gateway {
  /** Listens, and begins to load what the issuers publish. Rejects where it cannot listen. */
  start(): Promise<Addresses>
  /**
   * Puts another configuration in force without failing a request. Where it cannot be the log says
   * why. What belongs to the process (docs/operations.md) needs a restart.
   */
  readonly reload: Reload
  /**
   * Drains: not ready from now on, still serving for `server.drain.delay`, then finishing what is
   * under way for `server.drain.timeout` at most.
   */
  stop(): Promise<void>
}

/** URLs, or paths of Unix sockets. */
export interface Addresses {
  readonly traffic: string
  readonly admin: string
}

export interface GatewayOptions {
  /** Default writes to standard output, as `log` in the configuration says. */
  readonly logger?: Logger
  /** Epoch seconds, whole. Default is the clock of the machine. */
  readonly clock?: () => number
}

/** In this process alone, whatever `server.workers` says. */
export function createGateway(config: Config, options: GatewayOptions = {}): Gateway {
  const { logger = createLogger(config.log), clock } = options
  const instance = createInstance(config, { logger, clock })
  const { metrics, components, keySet, replace } = instance
  const adminServer = createAdminServer({ metrics, components, keySet })
  return {
    async start() {
      for (const sentence of looseSettings(config)) logger.warn(sentence)
      try {
        await Promise.all([config.server.listen, config.admin.listen].map(removeStaleSocket))
        const addresses = {
          admin: await listen(adminServer, config.admin.listen),
          traffic: await instance.start(),
        }
        logger.info({ ...addresses, routes: config.routes.length }, 'listening')
        return addresses
      } catch (error) {
        await Promise.all([instance.release(), closeWithin(adminServer, 0)])
        throw error
      }
    },
    reload: createReload({ logger, put: replace, onDone: metrics.reloaded }),
    async stop() {
      logger.info('draining')
      await instance.stop()
      await closeWithin(adminServer, 0)
      logger.info('stopped')
      await flushLog(logger)
    },
  }
}
