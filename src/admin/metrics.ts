/** What is counted, for Prometheus to collect. */
import {
  collectDefaultMetrics,
  Registry,
  type MetricObjectWithValues,
  type MetricValue,
} from 'prom-client'
import type { DenialCode } from '../denial.ts'
import type { Sample } from '../http/record.ts'
import {
  createInstruments,
  createReloadGauges,
  registerGauges,
  type Instruments,
  type Readable,
} from './instruments.ts'

export type Snapshot = readonly MetricObjectWithValues<MetricValue<string>>[]

export interface Metrics {
  readonly contentType: string
  /** The text exposition of Prometheus. */
  readonly render: () => Promise<string>
  /** All of it as data, which another process can add to its own. */
  readonly snapshot: () => Promise<Snapshot>
  /** One request that is done. */
  readonly sample: (sample: Sample) => void
  /** What was refused before it became a request. */
  readonly countMalformed: (code: DenialCode) => void
  /** A proof that could not be checked for replay, and why, in one of few words. */
  readonly replayFailed: (reason: string) => void
  /** A configuration that was to be put in force, and whether it is. */
  readonly reloaded: (isInForce: boolean) => void
  /** One question an issuer was asked about a token. */
  readonly introspected: (issuer: string, outcome: string, seconds: number) => void
}

const DAY_SECONDS = 86_400
const KNOWN_METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

export function createMetrics(sources: Readable): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  registerGauges(sources, registry)
  const instruments = createInstruments(registry)
  const { refusals, observedRefusals, clock, introspections } = instruments
  const observe = createObserver(instruments)
  const countAdmitted = createAdmittedCounter(instruments)
  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    snapshot: () => registry.getMetricsAsJSON(),
    sample(sample) {
      const { route, code, observedCode, admittedAs, clockDifferenceSeconds } = sample
      observe(sample)
      if (code !== undefined) refusals.inc({ route, code })
      if (observedCode !== undefined) observedRefusals.inc({ route, code: observedCode })
      if (admittedAs !== undefined) countAdmitted(route, admittedAs)
      if (clockDifferenceSeconds !== undefined) clock.observe(withinDay(clockDifferenceSeconds))
    },
    countMalformed(code) {
      refusals.inc({ route: 'none', code })
    },
    replayFailed(reason) {
      instruments.replayFailures.inc({ reason })
    },
    reloaded: createReloadGauges([registry]),
    introspected(issuer, outcome, seconds) {
      introspections.observe({ issuer, outcome }, seconds)
    },
  }
}

/** What a client says its clock says, which may be anything, must not spoil the sum. */
function withinDay(seconds: number): number {
  return Math.min(Math.max(seconds, -DAY_SECONDS), DAY_SECONDS)
}

/** A series is looked up by one key instead of having its labels hashed for each request. */
function createObserver({ duration }: Instruments): (sample: Sample) => void {
  const known = new Map<string, { observe(seconds: number): void }>()
  return ({ method, route, status, durationSeconds }) => {
    const name = KNOWN_METHODS.has(method) ? method : '_OTHER'
    const key = `${name} ${status} ${route}`
    const series = known.get(key) ?? duration.labels(name, String(status), route)
    known.set(key, series)
    series.observe(durationSeconds)
  }
}

/** The same for the counter of what gets through, which every admitted request adds to. */
function createAdmittedCounter({ admitted }: Instruments): (route: string, scheme: string) => void {
  const known = new Map<string, { inc(): void }>()
  return (route, scheme) => {
    const key = `${scheme} ${route}`
    const series = known.get(key) ?? admitted.labels(route, scheme)
    known.set(key, series)
    series.inc()
  }
}
