/** What is shipped: the package, what it depends on, and how long it takes to be ready. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Owner } from '../../test/support/owner.ts'
import type { Plan, Section } from '../report/section.ts'
import { formatNumber, formatSpread, table } from '../report/table.ts'
import { spreadOf } from '../rounds.ts'
import { createStand } from './stand.ts'

const ROUTES = 1_000
const STARTS = 7
const READY_SECONDS = 1

interface Packed {
  readonly size: number
  readonly unpackedSize: number
  readonly entryCount: number
}

export async function measureSize(owner: Owner, { say }: Plan): Promise<Section> {
  say('packing')
  const { size, unpackedSize, entryCount } = pack()
  const { direct, all } = countDependencies()
  const stand = await createStand(owner)
  const starts: number[] = []
  for (let start = 0; start < STARTS; start++) {
    say(`start ${start + 1} of ${STARTS}`)
    const server = await stand.gateway({ routes: ROUTES - 1 })
    starts.push(server.readyMs / 1000)
    await server.stop()
  }
  const ready = spreadOf(starts)
  return {
    name: 'size',
    parts: [
      table(
        ['', ''],
        [
          ['package', `${formatNumber(size / 1024)} KiB, ${entryCount} files`],
          ['unpacked', `${formatNumber(unpackedSize / 1024)} KiB`],
          ['production dependencies', `${direct}, ${all} with theirs`],
          [`seconds until ready, ${formatNumber(ROUTES)} routes`, formatSpread(ready)],
        ],
      ),
      `Ready is when \`/readyz\` says so, with the issuer's keys loaded: ${STARTS} starts on one processor.`,
    ],
    aims: [
      {
        text: `seconds until ready with ${formatNumber(ROUTES)} routes`,
        limit: READY_SECONDS,
        bound: 'at most',
        value: ready,
      },
    ],
  }
}

function pack(): Packed {
  const { stdout } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    encoding: 'utf8',
  })
  const [packed] = JSON.parse(stdout) as readonly Packed[]
  if (!packed) throw new Error('npm pack said nothing')
  return packed
}

/** As the lock file has them: what `npm install --omit=dev` installs. */
function countDependencies(): { readonly direct: number; readonly all: number } {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    readonly packages: Readonly<Record<string, { dev?: boolean; dependencies?: object }>>
  }
  const { '': own, ...others } = packages
  return {
    direct: Object.keys(own?.dependencies ?? {}).length,
    all: Object.values(others).filter(({ dev }) => !dev).length,
  }
}
