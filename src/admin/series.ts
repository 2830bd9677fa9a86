/**
 * Metrics that every request adds to. prom-client makes a key of the labels for each value it is
 * given, so the numbers are kept here, and it gets them when somebody collects.
 */
import { Counter, type Metric, type MetricConfiguration, type Registry } from 'prom-client'

type Labels = Readonly<Record<string, string>>
type Described = Pick<MetricConfiguration<string>, 'name' | 'help'>

/** Makes the one series that has these labels; the caller keeps what adds to it. */
export type AddSeries<Add> = (labels: Labels) => Add

interface Distribution {
  readonly labels: Labels
  /** For each bound the values up to it and above the one before; at last those above all. */
  readonly counts: number[]
  sum: number
}

/** `buckets` are upper bounds, in ascending order. */
export function createHistogram(
  { name, help, buckets }: Described & { readonly buckets: readonly number[] },
  registry: Registry,
): AddSeries<(value: number) => void> {
  const all: Distribution[] = []
  const about = { name, help, type: 'histogram', aggregator: 'sum' }
  const get = () => {
    const values = all.flatMap((one) => valuesOf(one, name, buckets))
    return Promise.resolve({ ...about, values })
  }
  // A registry reads a metric by `get` alone, as prom-client's own for several workers relies on.
  registry.registerMetric({ ...about, get } as unknown as Metric)
  return (labels) => {
    const one: Distribution = { labels, counts: [...buckets, Infinity].map(() => 0), sum: 0 }
    all.push(one)
    return (value) => {
      let at = 0
      while (value > (buckets[at] ?? Infinity)) at += 1
      one.counts[at] = (one.counts[at] ?? 0) + 1
      one.sum += value
    }
  }
}

/** As prom-client has them: a bucket counts all values up to its bound. */
function valuesOf({ labels, counts, sum }: Distribution, name: string, bounds: readonly number[]) {
  let count = 0
  const buckets = [...bounds, '+Inf'].map((le, at) => {
    count += counts[at] ?? 0
    return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: count }
  })
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ]
}

export function createCounter(
  { labelNames, ...about }: Described & { readonly labelNames: readonly string[] },
  registry: Registry,
): AddSeries<() => void> {
  const all: { readonly labels: Labels; count: number }[] = []
  new Counter({
    ...about,
    labelNames,
    registers: [registry],
    collect() {
      this.reset()
      for (const { labels, count } of all) this.inc(labels, count)
    },
  })
  return (labels) => {
    const one = { labels, count: 0 }
    all.push(one)
    return () => {
      one.count += 1
    }
  }
}
