/** The composition root: from a Config to stores, gates, routes and servers. Knows every part. */
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { createMetrics } from './admin/metrics.ts'
import { createAdminServer, type Component } from './admin/server.ts'
import { looseSettings } from './config/loose-settings.ts'
import type { Config } from './config/schema.ts'
import { createBoundKeys } from './dpop/bound-key.ts'
import { createNonces, type Nonces } from './dpop/nonce.ts'
import { closeWithin, listen } from './http/listener.ts'
import { createPublicOrigin } from './http/origin.ts'
import { createProxy } from './http/proxy.ts'
import { createFindMetadata } from './http/resource-metadata.ts'
import { createRoutes } from './http/routes.ts'
import { createTrafficServer } from './http/server.ts'
import { createTrust } from './http/trust.ts'
import { createPools } from './http/upstreams.ts'
import { createIssuers } from './issuers.ts'
import { createLogger, flushLog, type Logger } from './log.ts'
import { createRecorder } from './recorder.ts'
import { createReplays } from './replays.ts'
import { compileMetadata } from './resource.ts'
import { compileRoute, type SharedPorts } from './route.ts'

export interface Gateway {
  /** Listens, and begins to load what the issuers publish. Rejects where it cannot listen. */
  start(): Promise<Addresses>
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

const systemClock = () => Math.floor(Date.now() / 1000)

export function createGateway(config: Config, options: GatewayOptions = {}): Gateway {
  const { logger = createLogger(config.log), clock = systemClock } = options
  const { server, admin } = config
  const replays = createReplays(config.replay, logger)
  const pools = createPools()
  let isDraining = false

  const metrics = createMetrics({
    isReplayStoreReady: replays.isStoreReady,
    issuers: () => issuers.sources,
  })
  const issuers = createIssuers(config.issuers, logger, metrics.introspected)
  const recorder = createRecorder(metrics, logger, config.log.accessLog)
  const ports: SharedPorts = {
    verifierFor: issuers.verifierFor,
    replays: replays.store,
    tokenless: replays.tokenless,
    boundKeys: createBoundKeys(),
    nonces: compileNonces(config.nonce),
    clock,
  }
  const proxy = createProxy({
    routes: createRoutes(config.routes.map((route) => compileRoute(route, config, ports, pools))),
    publicOrigin: createPublicOrigin(server.publicUrl),
    findMetadata: createFindMetadata(compileMetadata(config)),
    rules: {
      isTrusted: createTrust(server.trustedProxies),
      maxHeaderCount: server.limits.headerCount,
    },
    identityNames: identityNames(config),
    maxBodyBytes: server.limits.bodyBytes,
    recorder,
  })
  const trafficServer = createTrafficServer(proxy, {
    limits: server.limits,
    timeouts: server.timeouts,
    onMalformed: recorder.malformed,
    isDraining: () => isDraining,
  })
  const adminServer = createAdminServer({
    metrics,
    components: () => components(isDraining, replays.status(), issuers.readiness()),
  })

  async function release(): Promise<void> {
    await Promise.all([closeWithin(trafficServer, 0), closeWithin(adminServer, 0), pools.destroy()])
    replays.close()
    issuers.close()
  }

  return {
    async start() {
      for (const sentence of looseSettings(config)) logger.warn(sentence)
      try {
        const addresses = {
          admin: await listen(adminServer, admin.listen),
          traffic: await listen(trafficServer, server.listen),
        }
        logger.info({ ...addresses, routes: config.routes.length }, 'listening')
        issuers.start()
        return addresses
      } catch (error) {
        await release()
        throw error
      }
    },
    async stop() {
      isDraining = true
      logger.info('draining')
      await delay(server.drain.delay)
      await closeWithin(trafficServer, server.drain.timeout)
      await release()
      logger.info('stopped')
      await flushLog(logger)
    },
  }
}

/** Without secrets of the operator: one that only this instance knows, until it stops. */
function compileNonces({ secrets, lifetime }: Config['nonce']): Nonces {
  const own = secrets ?? [randomBytes(32).toString('base64')]
  return createNonces({ secrets: own, lifetimeSeconds: lifetime / 1000 })
}

function components(
  isDraining: boolean,
  replayStore: Component,
  issuers: Readonly<Record<string, Component>>,
): Record<string, Component> {
  return {
    gateway: isDraining ? { ready: false, reason: 'draining' } : { ready: true },
    replayStore,
    ...Object.fromEntries(Object.entries(issuers).map(([name, it]) => [`issuer ${name}`, it])),
  }
}

/** Dropped from requests on every route, also where the route itself sets other names. */
function identityNames(config: Config): ReadonlySet<string> {
  const rules = [config.identity, ...config.routes.map(({ identity }) => identity)]
  return new Set(rules.flatMap(({ headers }) => Object.keys(headers)).map((n) => n.toLowerCase()))
}
