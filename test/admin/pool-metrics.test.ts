import t from 'tap'
import { createMetrics, type Snapshot } from '../../src/admin/metrics.ts'
import { createPoolMetrics } from '../../src/admin/pool-metrics.ts'

function createWorker(isBad: boolean) {
  const metrics = createMetrics({
    isReplayStoreReady: () => !isBad,
    replayFallback: 'local',
    isOverloaded: () => isBad,
    openWebSockets: () => 2,
    lostLogLines: () => 0,
    issuers: () => [{ name: 'main', isReady: () => !isBad }],
  })
  return {
    snapshot: metrics.snapshot,
    count: () => {
      metrics.countMalformed('header_invalid')
    },
  }
}

/** By the series as it is written. */
async function read(render: () => Promise<string>): Promise<ReadonlyMap<string, number>> {
  const lines = (await render()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => {
      const end = line.lastIndexOf(' ')
      return [line.slice(0, end), Number(line.slice(end + 1))]
    }),
  )
}

const REFUSED = 'dpop_refusals_total{route="none",code="header_invalid"}'

t.test('counts add up, and one worker that is not well shows', async (t) => {
  const workers = [createWorker(false), createWorker(true), createWorker(true)]
  for (const { count } of workers) count()
  const { render } = createPoolMetrics({
    snapshots: () =>
      Promise.all(workers.map(async ({ snapshot }, id) => [id, await snapshot()] as const)),
    running: () => workers.length,
  })
  const metrics = await read(render)
  t.equal(metrics.get(REFUSED), 3)
  t.equal(metrics.get('dpop_websockets_open'), 6)
  t.equal(metrics.get('dpop_workers'), 3)
  t.equal(metrics.get('dpop_overloaded'), 1)
  t.equal(metrics.get('dpop_replay_store_fallback_active{mode="local"}'), 1)
  t.equal(metrics.get('dpop_replay_store_ready'), 0)
  t.equal(metrics.get('dpop_issuer_ready{issuer="main"}'), 0)
  t.equal(metrics.get('config_last_reload_success'), 1)
})

t.test('no counter falls where a worker is silent or ends', async (t) => {
  const [first, second, third] = [createWorker(false), createWorker(false), createWorker(false)]
  let answers: readonly (readonly [number, Snapshot | undefined])[] = []
  const { render } = createPoolMetrics({
    snapshots: () => Promise.resolve(answers),
    running: () => answers.length,
  })
  first.count()
  second.count()
  answers = [
    [1, await first.snapshot()],
    [2, await second.snapshot()],
  ]
  t.equal((await read(render)).get(REFUSED), 2)
  answers = [
    [1, await first.snapshot()],
    [2, undefined],
  ]
  t.equal((await read(render)).get(REFUSED), 2, 'silent')
  third.count()
  answers = [
    [1, await first.snapshot()],
    [3, await third.snapshot()],
  ]
  const metrics = await read(render)
  t.equal(metrics.get(REFUSED), 3, 'replaced')
  t.equal(metrics.get('dpop_websockets_open'), 4, 'what is no count ends with it')
  answers = [[3, await third.snapshot()]]
  t.equal((await read(render)).get(REFUSED), 3, 'both ended')
})
