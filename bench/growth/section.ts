/** What a request costs as routes, clients, connections and workers get more, and what is kept costs in memory. */
import type { Owner } from '../../test/support/owner.ts'
import type { Plan, Section } from '../report/section.ts'
import { createStand } from '../sections/stand.ts'
import { measureClients } from './clients.ts'
import { measureIdle } from './idle.ts'
import { measureMemory } from './memory.ts'
import { measureRoutes } from './routes.ts'
import { measureWorkers } from './workers.ts'

/** A table with its text, and the aims it is about. */
export type Part = Pick<Section, 'parts' | 'aims'>

export async function measureGrowth(owner: Owner, plan: Plan): Promise<Section> {
  const stand = await createStand(owner)
  const parts: Part[] = []
  for (const measure of [
    ...[measureRoutes, measureClients, measureMemory, measureIdle, measureWorkers],
  ]) {
    parts.push(await measure(stand, plan))
  }
  return {
    name: 'growth',
    parts: [
      `Medians of ${plan.rounds} interleaved rounds, CPU in µs a request; ${stand.placement.sentence}.`,
      ...parts.flatMap((it) => it.parts),
    ],
    aims: parts.flatMap((it) => it.aims),
  }
}
