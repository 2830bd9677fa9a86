/** The metrics of several workers as those of one gateway, with what only their primary knows. */
import { AggregatorRegistry, Counter, Gauge, Registry } from 'prom-client'
import { createReloadGauges } from './instruments.ts'
import type { Snapshot } from './metrics.ts'

export interface CrewMetrics {
  readonly contentType: string
  /** The text exposition of Prometheus. */
  readonly render: () => Promise<string>
  readonly reloaded: (isInForce: boolean) => void
  /** A worker takes the place of one that has ended. */
  readonly restarted: () => void
}

export interface CrewSources {
  /** Of one that does not answer it is undefined: what it counted is missing this time. */
  readonly snapshots: () => Promise<readonly (Snapshot | undefined)[]>
  readonly running: () => number
}

export function createCrewMetrics({ snapshots, running }: CrewSources): CrewMetrics {
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
  return {
    contentType: registry.contentType,
    async render() {
      const known = (await snapshots()).filter((snapshot) => snapshot !== undefined)
      const crew = AggregatorRegistry.aggregate([...known])
      return `${await crew.metrics()}\n${await registry.metrics()}`
    },
    reloaded,
    restarted() {
      restarts.inc()
    },
  }
}
