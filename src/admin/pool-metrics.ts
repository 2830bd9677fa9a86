/** The metrics of several workers as those of one gateway, with what only their primary knows. */
import { AggregatorRegistry, Counter, Gauge, Registry } from 'prom-client'
import { createReloadGauges } from './instruments.ts'
import type { Snapshot } from './metrics.ts'

export interface PoolMetrics {
  readonly contentType: string
  /** The text exposition of Prometheus. */
  readonly render: () => Promise<string>
  readonly reloaded: (isInForce: boolean) => void
  /** A worker takes the place of one that has ended. */
  readonly restarted: () => void
}

export interface PoolSources {
  /** By what tells a worker from the one that takes its place; undefined where it does not answer. */
  readonly snapshots: () => Promise<readonly (readonly [id: number, Snapshot | undefined])[]>
  readonly running: () => number
}

export function createPoolMetrics({ snapshots, running }: PoolSources): PoolMetrics {
  const registry = new Registry()
  const registers = [registry]
  const reloaded = createReloadGauges(registers)
  const restarts = new Counter({
    name: 'dpop_worker_restarts_total',
    help: 'Workers that took the place of one that had ended',
    registers,
  })
  new Gauge({
    name: 'dpop_workers',
    help: 'Workers that serve',
    registers,
    collect() {
      this.set(running())
    },
  })
  const collect = createCollection()
  return {
    contentType: registry.contentType,
    async render() {
      const pool = AggregatorRegistry.aggregate(await collect(await snapshots()))
      return `${await pool.metrics()}\n${await registry.metrics()}`
    },
    reloaded,
    restarted() {
      restarts.inc()
    },
  }
}

/**
 * What each worker said last, and what those that have ended had counted. A counter that falls would
 * be taken for one that began anew, and all the others have counted for new.
 */
function createCollection() {
  const last = new Map<number, Snapshot>()
  let past: Snapshot = []
  return async (answers: Awaited<ReturnType<PoolSources['snapshots']>>): Promise<Snapshot[]> => {
    const ids = new Set(answers.map(([id]) => id))
    for (const [id, snapshot] of last) {
      if (ids.has(id)) continue
      last.delete(id)
      const counted = snapshot.filter(({ type }) => COUNTING.includes(String(type)))
      past = await AggregatorRegistry.aggregate([[...past], counted]).getMetricsAsJSON()
    }
    for (const [id, snapshot] of answers) {
      if (snapshot) last.set(id, snapshot.map(withAggregator))
    }
    return [past, ...last.values()]
  }
}

const COUNTING = ['counter', 'histogram']

/** An average would hide the one worker whose event loop is late. */
function withAggregator(metric: Snapshot[number]): Snapshot[number] {
  const isLag = metric.name.startsWith('nodejs_eventloop_lag')
  return isLag ? { ...metric, aggregator: 'max' } : metric
}
