/** CPU time per request of the gateway and its peers, beside the limits of the machine, in one run. */
import type { Owner } from '../../test/support/owner.ts'
import { measure, type Cost } from '../measure.ts'
import type { Plan, Section } from '../report/section.ts'
import { runRounds, type Cell } from '../rounds.ts'
import { opensslVerifyCost, verifyCost } from '../verify-cost.ts'
import { aimsOfCosts } from './costs-aims.ts'
import { costParts, costSummary } from './costs-report.ts'
import { LIMITS } from './limits.ts'
import { createEveryone, createStand } from './stand.ts'
import { startContenders, warmUpOf, type Contender, type Contenders } from './subjects.ts'
import { measureTail } from './tail.ts'
import type { Task } from './works.ts'

const UNMEASURED: Cost = {
  ...{ subject: Number.NaN, store: 0, upstream: 0, generator: 0, preparation: 0 },
  ...{ perSecond: 0, p50: 0, p99: 0, p999: 0, forwarded: 0 },
}

export async function measureCosts(owner: Owner, plan: Plan): Promise<Section> {
  const stand = await createStand(owner)
  const everyone = createEveryone(stand.issuer)
  const started = await startContenders(stand, plan)
  const measureTask = ({ server, storePid }: Contender, task: Task) =>
    measure(stand.upstream, { server, storePid, callers: everyone[task.clients] }, task)

  const contenders = await warmUp(started, plan, measureTask)
  const limit = (read: () => number | undefined) => () => ({
    ...UNMEASURED,
    subject: read() ?? Number.NaN,
  })
  const cells: Cell<Cost>[] = [
    { id: LIMITS.verify, measure: limit(verifyCost) },
    { id: LIMITS.openssl, measure: limit(opensslVerifyCost) },
    ...contenders.all.flatMap((contender) =>
      Object.entries(contender.tasks).map(([name, task]) => ({
        id: `${contender.id} ${name}`,
        measure: () => measureTask(contender, task),
      })),
    ),
  ]
  const results = await runRounds(cells, plan.rounds, plan.say)
  const saturation = results.of('memory get', (it) => it.perSecond).median
  const tail = await measureTail(stand, plan, {
    contenders: contenders.all,
    callers: everyone.ES256,
    perSecond: saturation / 2,
  })
  const findings = { plan, contenders, results, tail, placement: stand.placement }
  return {
    name: 'costs',
    parts: costParts(findings),
    aims: aimsOfCosts(findings),
    summary: costSummary(findings),
  }
}

/** Those who pass it: a peer that cannot take the load is named, and the run goes on without it. */
async function warmUp(
  { all, missing }: Contenders,
  plan: Plan,
  measureTask: (contender: Contender, task: Task) => Promise<Cost>,
): Promise<Contenders> {
  const failed = new Map<Contender, string>()
  for (const contender of all) {
    plan.say(`warming up ${contender.id}`)
    try {
      for (const task of Object.values(contender.tasks)) {
        await measureTask(contender, warmUpOf(plan, task))
      }
    } catch (error) {
      if (!contender.isPeer) throw error
      plan.say(String(error))
      failed.set(contender, `${contender.name}: failed under load`)
    }
  }
  return { all: all.filter((it) => !failed.has(it)), missing: [...missing, ...failed.values()] }
}
