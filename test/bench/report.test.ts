/** What the benchmark makes of its figures, and where it writes them. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { aimTable, isReached, type Aim } from '../../bench/report/aims.ts'
import { withSection } from '../../bench/report/documents.ts'
import { formatNumber, formatSpread } from '../../bench/report/table.ts'
import { runRounds, spreadOf } from '../../bench/rounds.ts'

const one = spreadOf([1])

t.test('rounds are interleaved, and ratios are made within a round', async (t) => {
  const order: string[] = []
  // The machine becomes ten times as slow after the first round; the ratio stays what it is.
  const cell = (id: string, values: readonly number[]) => {
    const left = [...values]
    return {
      id,
      measure() {
        order.push(id)
        return left.shift() ?? Number.NaN
      },
    }
  }
  const cells = [cell('a', [2, 20, 20]), cell('b', [1, 10, 10])]
  const results = await runRounds(cells, 3, () => undefined)
  t.strictSame(order, ['a', 'b', 'a', 'b', 'a', 'b'])
  t.strictSame(
    results.each((valueOf) => valueOf('a') / valueOf('b')),
    { median: 2, least: 2, most: 2 },
  )
  t.strictSame(
    results.of('b', (it) => it),
    { median: 10, least: 1, most: 10 },
  )
  t.ok(results.has('a'))
  t.notOk(results.has('c'))
  t.throws(() => results.of('c', (it) => it), /c was not measured/)
})

t.test('the median of an even number of rounds lies between the two in the middle', async (t) => {
  t.strictSame(spreadOf([4, 1, 3, 2]), { median: 2.5, least: 1, most: 4 })
})

t.test('an aim is reached at its limit, and not measured is not reached', async (t) => {
  const aim: Aim = { text: 'x', limit: 1, bound: 'at most', value: one }
  t.equal(isReached(aim), true)
  t.equal(isReached({ ...aim, limit: 0.9 }), false)
  t.equal(isReached({ ...aim, bound: 'at least', limit: 1.1 }), false)
  t.equal(isReached({ ...aim, bound: 'at least' }), true)
  t.equal(isReached({ ...aim, value: 'no nginx' }), undefined)
  const text = aimTable([aim, { ...aim, limit: 0 }, { ...aim, value: 'no nginx' }])
  t.match(text, '| x | at most 1 | 1 | reached |')
  t.match(text, '| x | at most 0 | 1 | **not reached** |')
  t.match(text, '| x | at most 1 | no nginx | not measured |')
})

t.test('numbers have three digits', async (t) => {
  t.strictSame([1234.5, 123.4, 12.34, 0.1234, Number.NaN].map(formatNumber), [
    '1,235',
    '123',
    '12.3',
    '0.123',
    '-',
  ])
  t.equal(formatSpread(spreadOf([1.001, 1.002])), '1')
  t.equal(formatSpread(spreadOf([1, 2, 4])), '2 (1–4)')
})

t.test(
  'a section takes the place of what was between its markers, and of nothing else',
  async (t) => {
    const document = 'a\n\n<!-- x -->\n\nold\n\n<!-- /x -->\n\nb\n'
    const written = withSection(document, 'x', 'new\n')
    t.equal(written, 'a\n\n<!-- x -->\n\nnew\n\n<!-- /x -->\n\nb\n')
    t.equal(withSection(written, 'x', 'new'), written)
    t.throws(() => withSection(document, 'y', 'new'), /no <!-- y -->/)
  },
)

t.test('the documents have the markers', async (t) => {
  const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
  for (const name of ['costs', 'growth', 'size']) {
    t.match(withSection(read('docs/benchmark.md'), name, 'NEW'), 'NEW')
  }
  t.match(withSection(read('README.md'), 'bench', 'NEW'), 'NEW')
})
