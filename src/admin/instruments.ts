/** The metrics there are: names, helps, labels and buckets, by OpenTelemetry where it has them. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { createCounter, createHistogram } from './series.ts'

export type Instruments = ReturnType<typeof createInstruments>

export interface Readable {
  readonly isReplayStoreReady: () => boolean
  /** What proofs are claimed by while the store is not ready; undefined where they are refused. */
  readonly replayFallback?: 'nonce' | 'local' | undefined
  readonly isOverloaded: () => boolean
  readonly openWebSockets: () => number
  /** Lines of the log that were dropped so far. */
  readonly lostLogLines: () => number
  readonly issuers: () => readonly { readonly name: string; readonly isReady: () => boolean }[]
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const CLOCK_SECONDS = [-60, -30, -10, -5, -2, -1, 0, 1, 2, 5, 10, 30, 60]

export function createInstruments(registry: Registry) {
  const registers = [registry]
  return {
    // Semantic conventions, HTTP metrics: http.server.request.duration.
    duration: createHistogram(
      {
        name: 'http_server_request_duration_seconds',
        help: 'Duration of requests, from their header to the end of the answer',
        buckets: SECONDS,
      },
      registry,
    ),
    admitted: createCounter(
      {
        name: 'dpop_admitted_total',
        help: 'Requests the gate admitted, by what they brought: dpop, bearer or proof',
        labelNames: ['route', 'scheme'],
      },
      registry,
    ),
    refusals: createCounter(
      {
        name: 'dpop_refusals_total',
        help: 'Refused requests by route and code',
        labelNames: ['route', 'code'],
      },
      registry,
    ),
    observedRefusals: createCounter(
      {
        name: 'dpop_observed_refusals_total',
        help: 'Requests that got through only because their route observes, by the code of their refusal',
        labelNames: ['route', 'code'],
      },
      registry,
    ),
    clock: createHistogram(
      {
        name: 'dpop_proof_clock_difference_seconds',
        help: 'Clock of the gateway less iat of accepted proofs',
        buckets: CLOCK_SECONDS,
      },
      registry,
    ),
    replayFailures: new Counter({
      name: 'dpop_replay_store_failures_total',
      help: 'Proofs that Redis could not check for replay, by the reason: its own word or ours',
      labelNames: ['reason'],
      registers,
    }),
    introspections: new Histogram({
      name: 'dpop_introspection_duration_seconds',
      help: 'Duration of introspection by issuer and outcome: active, inactive or failed',
      labelNames: ['issuer', 'outcome'],
      buckets: SECONDS,
      registers,
    }),
  }
}

/** Returns what notes whether the configuration that was asked for is in force. */
export function createReloadGauges(registers: Registry[]): (isInForce: boolean) => void {
  // Of several workers only their primary knows.
  const aggregator = 'omit'
  const success = new Gauge({
    name: 'config_last_reload_success',
    help: '1 while the configuration that was asked for last is in force, else 0',
    aggregator,
    registers,
  })
  const time = new Gauge({
    name: 'config_last_reload_success_timestamp_seconds',
    help: 'When the configuration in force was put in force',
    aggregator,
    registers,
  })
  const note = (isInForce: boolean) => {
    success.set(isInForce ? 1 : 0)
    if (isInForce) time.setToCurrentTime()
  }
  note(true)
  return note
}

/** Read when they are asked for. */
export function registerGauges(
  {
    isReplayStoreReady,
    openWebSockets,
    replayFallback,
    isOverloaded,
    lostLogLines,
    issuers,
  }: Readable,
  registry: Registry,
): void {
  const registers = [registry]
  new Gauge({
    name: 'dpop_replay_store_ready',
    aggregator: 'min',
    help: '1 while proofs can be checked for replay, else 0',
    registers,
    collect() {
      this.set(isReplayStoreReady() ? 1 : 0)
    },
  })
  new Gauge({
    name: 'dpop_websockets_open',
    help: 'WebSockets that are open',
    registers,
    collect() {
      this.set(openWebSockets())
    },
  })
  new Gauge({
    name: 'dpop_replay_store_fallback_active',
    aggregator: 'max',
    help: '1 while this instance goes without the replay store, as replay.onOutage says, else 0',
    labelNames: ['mode'],
    registers,
    collect() {
      if (replayFallback) this.set({ mode: replayFallback }, isReplayStoreReady() ? 0 : 1)
    },
  })
  new Gauge({
    name: 'dpop_overloaded',
    aggregator: 'max',
    help: '1 while new requests are refused because the event loop is late, else 0',
    registers,
    collect() {
      this.set(isOverloaded() ? 1 : 0)
    },
  })
  new Counter({
    name: 'log_lines_dropped_total',
    help: 'Lines of the log that were dropped because nobody read them',
    registers,
    collect() {
      this.reset()
      this.inc(lostLogLines())
    },
  })
  new Gauge({
    name: 'dpop_issuer_ready',
    aggregator: 'min',
    help: '1 once the issuer can be relied on to verify its tokens, else 0',
    labelNames: ['issuer'],
    registers,
    collect() {
      for (const { name, isReady } of issuers()) this.set({ issuer: name }, isReady() ? 1 : 0)
    },
  })
}
