/** One process that serves traffic: the parts that live as long as it does, and its listener. */
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { createMetrics, type Metrics } from '../admin/metrics.ts'
import type { Components } from '../admin/server.ts'
import { createAssertionKey } from '../assertion.ts'
import { certificateOf } from '../config/certificates.ts'
import type { Config } from '../config/schema.ts'
import { createBoundKeys } from '../dpop/bound-key.ts'
import { closeWithin, listen } from '../http/listener.ts'
import { createTrafficServer } from '../http/server.ts'
import { renewCertificate } from '../http/tls.ts'
import { createWebSockets, GOING_AWAY } from '../http/websocket/web-sockets.ts'
import { createIssuers } from './issuers.ts'
import { lostLines, type Logger } from '../log.ts'
import { createOverload } from '../overload.ts'
import { createRecorder } from './recorder.ts'
import { createReplays } from './replays.ts'
import type { Lengthening } from './retention.ts'
import { createLiveRuleset } from './live-ruleset.ts'

export interface Instance {
  /**
   * Listens, and begins to load what the issuers publish. Resolves with the URL or the path of the
   * socket. Rejects where it cannot listen.
   */
  readonly start: () => Promise<string>
  /** Puts it in force. Rejects with the reason where the one before stays. */
  readonly replace: (config: Config) => Promise<void>
  /** Drains, then lets go of everything. */
  readonly stop: () => Promise<void>
  /** Breaks off what is under way, and lets go of everything. */
  readonly release: () => Promise<void>
  readonly components: () => Components
  readonly metrics: Metrics
  /** What assertions are verified with, a JWK Set. */
  readonly keySet: () => string
}

export interface InstanceOptions {
  readonly logger: Logger
  /** Epoch seconds, whole. Default is the clock of the machine. */
  readonly clock?: (() => number) | undefined
  /** PEM. Signs assertions where the configuration names no key. Default is a new one. */
  readonly assertionKey?: string
  /** The last of the reloads that this instance did not see, if it matters to used proofs. */
  readonly lengthened?: Lengthening | undefined
}

const systemClock = () => Math.floor(Date.now() / 1000)

export function createInstance(initial: Config, options: InstanceOptions): Instance {
  const { logger, clock = systemClock, assertionKey = createAssertionKey(), lengthened } = options
  const { server, log } = initial
  const replays = createReplays(initial, {
    logger,
    clock,
    onFailure: (reason) => {
      metrics.replayFailed(reason)
    },
  })
  if (lengthened) replays.lengthen(lengthened)
  const webSockets = createWebSockets()
  let isDraining = false

  const overload = createOverload({
    maxDelayMs: server.limits.eventLoopDelay,
    onChange: (isOverloaded) => {
      if (isOverloaded) logger.warn('overloaded: new requests are refused')
      else logger.info('no longer overloaded')
    },
  })
  const metrics = createMetrics({
    isOverloaded: overload.isOverloaded,
    lostLogLines: lostLines,
    isReplayStoreReady: replays.isStoreReady,
    openWebSockets: webSockets.count,
    replayFallback: replays.fallback,
    issuers: () => live.current().issuers.sources,
  })
  const recorder = createRecorder(metrics, logger, log.accessLog)
  const live = createLiveRuleset(initial, {
    parts: {
      recorder,
      replays,
      boundKeys: createBoundKeys(),
      webSockets,
      // One that only this instance knows, until it stops.
      nonceSecret: randomBytes(32).toString('base64'),
      assertionKey,
      isOverloaded: overload.isOverloaded,
      clock,
    },
    createIssuers: (configs) => createIssuers(configs, logger, metrics.introspected),
    onChange: (config) => {
      const certificate = certificateOf(config)
      if (certificate) renewCertificate(trafficServer, certificate)
    },
  })
  const trafficServer = createTrafficServer(
    (message, response) => live.current().proxy(message, response),
    {
      limits: server.limits,
      timeouts: server.timeouts,
      certificate: certificateOf(initial),
      http2: server.http2,
      upgrade: (message, socket, head) => live.current().upgrade(message, socket, head),
      onMalformed: recorder.malformed,
      isDraining: () => isDraining,
    },
  )

  async function release(): Promise<void> {
    await Promise.all([closeWithin(trafficServer, 0), live.destroy()])
    replays.close()
    overload.stop()
  }

  return {
    metrics,
    keySet: () => live.current().keySet,
    async start() {
      const address = await listen(trafficServer, server.listen)
      live.current().issuers.start()
      overload.start()
      return address
    },
    replace: live.replace,
    async stop() {
      isDraining = true
      const { drain } = live.current().config.server
      await delay(drain.delay)
      void webSockets.closeAll(GOING_AWAY)
      await closeWithin(trafficServer, drain.timeout)
      await release()
    },
    release,
    components: () => ({
      gateway: isDraining ? { ready: false, reason: 'draining' } : { ready: true },
      replayStore: replays.status(),
      ...byIssuer(live.current().issuers.readiness()),
    }),
  }
}

function byIssuer(issuers: Components): Components {
  return Object.fromEntries(Object.entries(issuers).map(([name, it]) => [`issuer ${name}`, it]))
}
