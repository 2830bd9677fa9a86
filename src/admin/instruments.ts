/** The metrics there are: names, helps, labels and buckets, by OpenTelemetry where it has them. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export type Instruments = ReturnType<typeof createInstruments>

export interface Readable {
  readonly isReplayStoreReady: () => boolean
  readonly issuers: () => readonly { readonly name: string; readonly isReady: () => boolean }[]
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const CLOCK_SECONDS = [-60, -30, -10, -5, -2, -1, 0, 1, 2, 5, 10, 30, 60]

export function createInstruments(registry: Registry) {
  const registers = [registry]
  return {
    // Semantic conventions, HTTP metrics: http.server.request.duration.
    duration: new Histogram({
      name: 'http_server_request_duration_seconds',
      help: 'Duration of requests, from their header to the end of the answer',
      labelNames: ['http_request_method', 'http_response_status_code', 'http_route'],
      buckets: SECONDS,
      registers,
    }),
    admitted: new Counter({
      name: 'dpop_admitted_total',
      help: 'Requests the gate admitted, by what they brought: dpop, bearer or proof',
      labelNames: ['route', 'scheme'],
      registers,
    }),
    refusals: new Counter({
      name: 'dpop_refusals_total',
      help: 'Refused requests by route and code',
      labelNames: ['route', 'code'],
      registers,
    }),
    observedRefusals: new Counter({
      name: 'dpop_observed_refusals_total',
      help: 'Requests that got through only because their route observes, by the code of their refusal',
      labelNames: ['route', 'code'],
      registers,
    }),
    clock: new Histogram({
      name: 'dpop_proof_clock_difference_seconds',
      help: 'Clock of the gateway less iat of accepted proofs',
      buckets: CLOCK_SECONDS,
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

/** Read when they are asked for. */
export function registerGauges(
  { isReplayStoreReady, issuers }: Readable,
  registry: Registry,
): void {
  const registers = [registry]
  new Gauge({
    name: 'dpop_replay_store_ready',
    help: '1 while proofs can be checked for replay, else 0',
    registers,
    collect() {
      this.set(isReplayStoreReady() ? 1 : 0)
    },
  })
  new Gauge({
    name: 'dpop_issuer_ready',
    help: '1 once the issuer can be relied on to verify its tokens, else 0',
    labelNames: ['issuer'],
    registers,
    collect() {
      for (const { name, isReady } of issuers()) this.set({ issuer: name }, isReady() ? 1 : 0)
    },
  })
}
