/** What is counted here is what prom-client would have counted, to the letter. */
import { AggregatorRegistry, Counter, Histogram, Registry } from 'prom-client'
import t, { type Test } from 'tap'
import { createCounter, createHistogram } from '../../src/admin/series.ts'

const about = { name: 'it_seconds', help: 'How long\nit takes' }
const buckets = [-2, 0, 0.005, 0.1, 1, 10]
const labelNames = ['method', 'route']
const LABELS = [
  { method: 'GET', route: 'b' },
  { method: 'POST', route: 'a' },
  { method: 'GET', route: 'say "hi" \\' },
]
/** Each bound, what is next to it, beyond all of them, and sums that are not exact. */
const VALUES = [...buckets.flatMap((it) => [it, it - 1e-9, it + 1e-9]), 0.1, 0.2, 0.3, -60, 86_400]

/** As several workers, of which each has sent its own to another process. */
async function ofPool(...workers: readonly Registry[]): Promise<string> {
  const snapshots = await Promise.all(workers.map((it) => it.getMetricsAsJSON()))
  const received = JSON.parse(JSON.stringify(snapshots)) as typeof snapshots
  return AggregatorRegistry.aggregate(received).metrics()
}

async function same(t: Test, ours: Registry, plain: Registry, when: string) {
  t.equal(await ours.metrics(), await plain.metrics(), when)
  t.equal(await ours.metrics(), await plain.metrics(), `${when}, asked for again`)
  t.equal(await ofPool(ours, ours), await ofPool(plain, plain), `${when}, by two workers`)
}

t.test('a histogram', async (t) => {
  const [ours, plain] = [new Registry(), new Registry()]
  const add = createHistogram({ ...about, buckets }, ours)
  const histogram = new Histogram({ ...about, buckets, labelNames, registers: [plain] })
  await same(t, ours, plain, 'nothing observed')
  const series = LABELS.map((labels) => ({ labels, observe: add(labels) }))
  for (const [nth, value] of VALUES.entries()) {
    for (const { labels, observe } of series.slice(nth % 2)) {
      observe(value)
      histogram.observe(labels, value)
    }
  }
  await same(t, ours, plain, 'observed')
})

t.test('a histogram without labels', async (t) => {
  const [ours, plain] = [new Registry(), new Registry()]
  const observe = createHistogram({ ...about, buckets }, ours)({})
  const histogram = new Histogram({ ...about, buckets, registers: [plain] })
  await same(t, ours, plain, 'nothing observed')
  for (const value of VALUES) {
    observe(value)
    histogram.observe(value)
  }
  await same(t, ours, plain, 'observed')
})

t.test('a counter', async (t) => {
  const [ours, plain] = [new Registry(), new Registry()]
  const add = createCounter({ ...about, labelNames }, ours)
  const counter = new Counter({ ...about, labelNames, registers: [plain] })
  await same(t, ours, plain, 'nothing counted')
  const series = LABELS.map((labels) => ({ labels, count: add(labels) }))
  for (const nth of VALUES.keys()) {
    for (const { labels, count } of series.slice(0, 1 + (nth % 3))) {
      count()
      counter.inc(labels)
    }
    if (nth === 2) await same(t, ours, plain, 'counted')
  }
  await same(t, ours, plain, 'counted on')
})

t.test(
  'a value above all bounds is in no bucket, where prom-client takes -1 for one',
  async (t) => {
    const registry = new Registry()
    createHistogram({ ...about, buckets: [-1, 1] }, registry)({})(5)
    const text = await registry.metrics()
    t.match(text, 'it_seconds_bucket{le="-1"} 0\n')
    t.match(text, 'it_seconds_bucket{le="1"} 0\n')
    t.match(text, 'it_seconds_bucket{le="+Inf"} 1\n')
  },
)
