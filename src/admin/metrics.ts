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
  const { introspections } = instruments
  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    snapshot: () => registry.getMetricsAsJSON(),
    ...createRequestCounts(instruments),
    replayFailed(reason) {
      instruments.replayFailures.inc({ reason })
    },
    reloaded: createReloadGauges([registry]),
    introspected(issuer, outcome, seconds) {
      introspections.observe({ issuer, outcome }, seconds)
    },
  }
}

function createRequestCounts({
  duration,
  refusals,
  observedRefusals,
  admitted,
  clock,
}: Instruments): Pick<Metrics, 'sample' | 'countMalformed'> {
  const observeClock = clock({})
  const durationOf = byTwo((route, method) =>
    lookup((status: number) =>
      duration({
        http_request_method: method,
        http_response_status_code: String(status),
        http_route: route,
      }),
    ),
  )
  const countRefused = byTwo((route, code) => refusals({ route, code }))
  const countObserved = byTwo((route, code) => observedRefusals({ route, code }))
  const countAdmitted = byTwo((route, scheme) => admitted({ route, scheme }))
  return {
    sample(sample) {
      const { method, route, status, code, observedCode, admittedAs } = sample
      const { durationSeconds, clockDifferenceSeconds } = sample
      durationOf(route)(KNOWN_METHODS.has(method) ? method : '_OTHER')(status)(durationSeconds)
      if (code !== undefined) countRefused(route)(code)()
      if (observedCode !== undefined) countObserved(route)(observedCode)()
      if (admittedAs !== undefined) countAdmitted(route)(admittedAs)()
      if (clockDifferenceSeconds !== undefined) observeClock(withinDay(clockDifferenceSeconds))
    },
    countMalformed(code) {
      countRefused('none')(code)()
    },
  }
}

/** What a client says its clock says, which may be anything, must not spoil the sum. */
function withinDay(seconds: number): number {
  return Math.min(Math.max(seconds, -DAY_SECONDS), DAY_SECONDS)
}

/** A series is found label by label: one key would have to be put together for each request. */
function byTwo<Value>(create: (first: string, second: string) => Value) {
  return lookup((first: string) => lookup((second: string) => create(first, second)))
}

/** Makes what it is asked for the first time, and keeps it. */
function lookup<Key, Value>(create: (key: Key) => Value): (key: Key) => Value {
  const known = new Map<Key, Value>()
  return (key) => {
    const found = known.get(key)
    if (found !== undefined) return found
    const made = create(key)
    known.set(key, made)
    return made
  }
}
