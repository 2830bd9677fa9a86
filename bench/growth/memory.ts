/** What a used proof takes up for as long as it is remembered. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { scaled, type Plan } from '../report/section.ts'
import { formatNumber, table } from '../report/table.ts'
import type { Stand } from '../sections/stand.ts'
import type { Part } from './section.ts'

const ENTRIES = 1_000_000

// eslint-disable-next-line @typescript-eslint/require-await -- One shape for all measurements.
export async function measureMemory({ redis }: Stand, plan: Plan): Promise<Part> {
  const entries = scaled(plan, ENTRIES)
  const rows = [
    ['memory', bytesEach(plan, entries)],
    ['Redis', redis ? bytesEach(plan, entries, redis.url) : 'not installed'],
  ]
  return {
    parts: [
      `### Memory of used proofs\n\nBytes for each of ${formatNumber(entries)} that are remembered.`,
      table(['store', 'bytes each'], rows),
    ],
    aims: [],
  }
}

function bytesEach({ say }: Plan, entries: number, redisUrl = ''): string {
  say(`memory of ${entries} proofs ${redisUrl === '' ? 'in memory' : 'in Redis'}`)
  const script = join(import.meta.dirname, 'fill-store.ts')
  const args = ['--expose-gc', '--import', 'tsx', script, String(entries), redisUrl]
  const { stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    timeout: 180_000,
  })
  const bytes = Number(stdout)
  if (stdout === '' || Number.isNaN(bytes)) throw new Error(`nothing measured: ${stderr}`)
  return formatNumber(bytes)
}
