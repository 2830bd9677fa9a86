/** The tables of what a request costs. */
import { CONNECTIONS, type Cost } from '../measure.ts'
import type { Placement } from '../machine.ts'
import type { Plan } from '../report/section.ts'
import { formatNumber, formatSpread, table } from '../report/table.ts'
import type { Results } from '../rounds.ts'
import { limitOf } from './costs-aims.ts'
import { LIMITS } from './limits.ts'
import type { Contender, Contenders } from './subjects.ts'
import type { Tail } from './tail.ts'

export interface Findings {
  readonly plan: Plan
  readonly contenders: Contenders
  readonly results: Results<Cost>
  readonly tail: Tail
  readonly placement: Placement
}

export function costParts(findings: Findings): readonly string[] {
  const { plan, contenders, placement } = findings
  return [
    `${CONNECTIONS} connections, ${plan.rounds} interleaved rounds; ${placement.sentence}. Figures are medians, in` +
      ' parentheses the least and the most of the rounds. CPU is user and system time in µs a request, read' +
      ' from /proc. Ratios are made within a round. The gateway has its access log and metrics on.',
    ...contenders.missing.map((it) => `Not measured: ${it}.`),
    '### Valid requests\n\nEach with a proof of its own, made before the clock starts.',
    costTable(findings, ['get', 'opaque', 'eddsa', 'rs256', 'post', 'download']),
    '### Attacks\n\nWhat a refusal costs, and what the request costs whoever makes it.',
    attackTable(findings),
    '### Latency',
    latencyText(findings),
  ]
}

/** For README.md: one row a subject. */
export function costSummary({ contenders, results }: Findings): string {
  const ratio = (id: string) =>
    results.has('nginx get')
      ? formatNumber(results.each((valueOf) => valueOf(id).subject / limitOf(valueOf)).median)
      : '-'
  const row = (name: string, id: string) => [
    name,
    formatNumber(results.of(id, (it) => it.subject).median),
    id.endsWith(' get') && id !== 'nginx get' ? ratio(id) : '',
  ]
  const rows = [
    row('one P-256 verification, `openssl speed`', LIMITS.openssl),
    ...contenders.all
      .filter(({ tasks }) => tasks.get)
      .map(({ id, name }) => row(name, `${id} get`)),
  ]
  const missing = contenders.missing.map((it) => `Not measured: ${it}.`)
  return [table(['', 'CPU µs a request', '÷ (nginx + one verification)'], rows), ...missing].join(
    '\n\n',
  )
}

function costTable(
  { contenders, results }: Findings,
  names: readonly (keyof Contender['tasks'])[],
): string {
  const limits = [
    ['one P-256 verification', 'node:crypto', LIMITS.verify],
    ['one P-256 verification', '`openssl speed`', LIMITS.openssl],
  ].map(([name = '', by = '', id = '']) => [
    ...[name, by, formatSpread(results.of(id, (it) => it.subject))],
    ...['', '', '', ''],
  ])
  const rows = contenders.all.flatMap((contender) =>
    names.flatMap((name) => {
      const task = contender.tasks[name]
      if (!task) return []
      const id = `${contender.id} ${name}`
      const of = (read: (cost: Cost) => number) => results.of(id, read)
      const ofLimit = results.has('nginx get') && name !== 'download'
      return [
        [
          contender.name,
          task.name,
          formatSpread(of((it) => it.subject)),
          ofLimit
            ? formatSpread(results.each((valueOf) => valueOf(id).subject / limitOf(valueOf)))
            : '',
          formatNumber(of((it) => it.store).median),
          `${formatNumber(of((it) => it.upstream).median)} + ${formatNumber(of((it) => it.generator).median)}`,
          formatNumber(of((it) => it.perSecond).median),
        ],
      ]
    }),
  )
  const columns = [
    '',
    'work',
    'CPU',
    '÷ (nginx + verify)',
    'Redis',
    'upstream + load',
    'requests/s',
  ]
  return table(columns, [...limits, ...rows])
}

function attackTable({ contenders, results }: Findings): string {
  const rows = contenders.all.flatMap(({ id: contender, name, tasks }) =>
    (['get', 'forgedProof', 'forgedToken', 'replay', 'bare'] as const).flatMap((kind) => {
      const task = tasks[kind]
      const isCompared = contender === 'node' || tasks.replay !== undefined
      if (!task || !isCompared) return []
      const id = `${contender} ${kind}`
      const of = (read: (cost: Cost) => number) => results.of(id, read)
      // A replay is copied, not made.
      const preparation = kind === 'replay' ? '0' : formatNumber(of((it) => it.preparation).median)
      return [
        [
          ...[name, task.name, formatSpread(of((it) => it.subject))],
          ...[preparation, formatNumber(of((it) => it.forwarded).median)],
        ],
      ]
    }),
  )
  return table(
    ['', 'request', 'CPU', "CPU of the sender's signatures", 'reached the upstream'],
    rows,
  )
}

function latencyText({ contenders, tail: { results, perSecond, count } }: Findings): string {
  const rows = contenders.all
    .filter(({ id }) => results.has(id))
    .map(({ id, name }) => [
      name,
      ...(['p50', 'p99', 'p999', 'lateness'] as const).map((key) =>
        formatSpread(results.of(id, (it) => it[key])),
      ),
    ])
  const intro = `In milliseconds, at ${formatNumber(perSecond)} requests a second, half of what the gateway with the memory store answered at most: ${formatNumber(count)} requests a round, each counted from when it was due.`
  return [intro, table(['', 'p50', 'p99', 'p99.9', 'p99 of the generator'], rows)].join('\n\n')
}
