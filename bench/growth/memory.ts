/** What a used proof takes up for as long as it is remembered. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { scaled, type Plan } from '../report/section.ts'
import { formatNumber, table } from '../report/table.ts'
import type { Stand } from '../sections/stand.ts'
import type { Part } from './section.ts'

const ENTRIES = 1_000_000
const run = promisify(execFile)

export async function measureMemory({ redis }: Stand, plan: Plan): Promise<Part> {
  const entries = scaled(plan, ENTRIES)
  const rows = [
    ['memory', await bytesEach(plan, entries)],
    ['Redis', redis ? await bytesEach(plan, entries, redis.url) : 'not installed'],
  ]
  return {
    parts: [
      `### Memory of used proofs\n\nBytes for each of ${formatNumber(entries)} that are remembered.`,
      table(['store', 'bytes each'], rows),
    ],
    aims: [],
  }
}

async function bytesEach({ say }: Plan, entries: number, redisUrl = ''): Promise<string> {
  say(`memory of ${entries} proofs ${redisUrl === '' ? 'in memory' : 'in Redis'}`)
  const script = join(import.meta.dirname, 'fill-store.ts')
  const args = ['--expose-gc', '--import', 'tsx', script, String(entries), redisUrl]
  const { stdout, stderr } = await run(process.execPath, args, { timeout: 180_000 })
  const bytes = Number(stdout)
  if (stdout === '' || Number.isNaN(bytes)) throw new Error(`nothing measured: ${stderr}`)
  return formatNumber(bytes)
}
