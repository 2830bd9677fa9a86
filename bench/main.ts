/**
 * `npm run bench`: what a request costs, beside the limits of the machine. The machine may be shared
 * and noisy: read the ratios, and those of a quiet machine. Flags: --peers, --growth, --size,
 * --quick, --write.
 */
import { parseArgs } from 'node:util'
import type { Owner } from '../test/support/owner.ts'
import { removeFolder } from './process.ts'
import { describeSection, writeReports } from './report/documents.ts'
import type { Plan } from './report/section.ts'
import { measureCosts } from './sections/costs.ts'
import { measureGrowth } from './growth/section.ts'
import { measureSize } from './sections/size.ts'

const flag = { type: 'boolean', default: false } as const
const { values: flags } = parseArgs({
  options: { peers: flag, growth: flag, size: flag, quick: flag, write: flag },
})
const plan: Plan = {
  scale: flags.quick ? 0.1 : 1,
  rounds: flags.quick ? 2 : 3,
  withPeers: flags.peers,
  say(line) {
    console.error(`${new Date().toISOString().slice(11, 19)} ${line}`)
  },
}
const wanted = [
  { isWanted: flags.peers || (!flags.growth && !flags.size), measure: measureCosts },
  { isWanted: flags.growth, measure: measureGrowth },
  { isWanted: flags.size, measure: measureSize },
]

const cleanUps: (() => unknown)[] = []
const owner: Owner = { teardown: (cleanUp) => cleanUps.unshift(cleanUp) }

async function cleanUp(): Promise<void> {
  for (const next of cleanUps.splice(0)) await next()
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void cleanUp().finally(() => {
      removeFolder()
      process.exit(1)
    })
  })
}

try {
  for (const { isWanted, measure } of wanted) {
    if (!isWanted) continue
    const section = await measure(owner, plan)
    // Nothing of it takes time from the next one.
    await cleanUp()
    const text = await describeSection(section)
    console.log(text)
    if (flags.write && flags.quick) plan.say('--quick is too short to be written down')
    else if (flags.write) await writeReports(section, text)
  }
} finally {
  await cleanUp()
  removeFolder()
}
