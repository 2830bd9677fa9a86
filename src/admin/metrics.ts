/** What is counted, by the names of OpenTelemetry where it has one. The only importer of prom-client. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { DenialCode } from '../denial.ts'
import type { Sample } from '../http/record.ts'

export interface Metrics {
  readonly contentType: string
  /** The text exposition of Prometheus. */
  readonly render: () => Promise<string>
  /** One request that is done. */
  readonly sample: (sample: Sample) => void
  /** What was refused before it became a request. */
  readonly countMalformed: (code: DenialCode) => void
  /** One question an issuer was asked about a token. */
  readonly introspected: (issuer: string, outcome: string, seconds: number) => void
}

export interface MetricSources {
  readonly isReplayStoreReady: () => boolean
  readonly issuers: () => readonly { readonly name: string; readonly isReady: () => boolean }[]
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const CLOCK_SECONDS = [-60, -30, -10, -5, -2, -1, 0, 1, 2, 5, 10, 30, 60]
const KNOWN_METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  // OpenTelemetry semantic conventions, HTTP metrics: http.server.request.duration.
  const duration = new Histogram({
    name: 'http_server_request_duration_seconds',
    help: 'Duration of requests, from their header to the end of the answer',
    labelNames: ['http_request_method', 'http_response_status_code', 'http_route'],
    buckets: SECONDS,
    registers,
  })
  const refusals = new Counter({
    name: 'dpop_refusals_total',
    help: 'Refused requests by route and code',
    labelNames: ['route', 'code'],
    registers,
  })
  const observedRefusals = new Counter({
    name: 'dpop_observed_refusals_total',
    help: 'Requests that got through only because their route observes, by the code they would have got',
    labelNames: ['route', 'code'],
    registers,
  })
  const admitted = new Counter({
    name: 'dpop_admitted_total',
    help: 'Requests the gate admitted, by what they brought: dpop, bearer or proof',
    labelNames: ['route', 'scheme'],
    registers,
  })
  const clock = new Histogram({
    name: 'dpop_proof_clock_difference_seconds',
    help: 'Clock of the gateway less iat of accepted proofs',
    buckets: CLOCK_SECONDS,
    registers,
  })
  const introspections = new Histogram({
    name: 'dpop_introspection_duration_seconds',
    help: 'Duration of introspection by issuer and outcome: active, inactive or failed',
    labelNames: ['issuer', 'outcome'],
    buckets: SECONDS,
    registers,
  })
  registerGauges(sources, registers)
  const observers = new Map<string, (seconds: number) => void>()

  /** A series is looked up by one key instead of having its labels hashed for each request. */
  const observerOf = ({ method, route, status }: Sample) => {
    const known = KNOWN_METHODS.has(method) ? method : '_OTHER'
    const key = `${known} ${status} ${route}`
    let observe = observers.get(key)
    if (!observe) {
      const series = duration.labels(known, String(status), route)
      observe = (seconds) => {
        series.observe(seconds)
      }
      observers.set(key, observe)
    }
    return observe
  }
  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    sample(sample) {
      observerOf(sample)(sample.durationSeconds)
      if (sample.code !== undefined) refusals.inc({ route: sample.route, code: sample.code })
      if (sample.observedCode !== undefined) {
        observedRefusals.inc({ route: sample.route, code: sample.observedCode })
      }
      if (sample.admittedAs !== undefined) {
        admitted.inc({ route: sample.route, scheme: sample.admittedAs })
      }
      if (sample.clockDifferenceSeconds !== undefined) clock.observe(sample.clockDifferenceSeconds)
    },
    countMalformed(code) {
      refusals.inc({ route: 'none', code })
    },
    introspected(issuer, outcome, seconds) {
      introspections.observe({ issuer, outcome }, seconds)
    },
  }
}

function registerGauges(
  { isReplayStoreReady, issuers }: MetricSources,
  registers: Registry[],
): void {
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
