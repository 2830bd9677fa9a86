import t from 'tap'
import { createJudge, createOverload } from '../src/overload.ts'
import { until } from './support/until.ts'

const LATE = 101
const BETWEEN = 60
const EARLY = 49

// prettier-ignore
const COURSES = [
  { name: 'never late', delays: [0, 1, 0, 100], verdicts: [0, 0, 0, 0] },
  { name: 'one long pause', delays: [0, 5000, 0, 0], verdicts: [0, 0, 0, 0] },
  { name: 'two long pauses', delays: [5000, 5000, 0, 5000, 5000], verdicts: [0, 0, 0, 0, 0] },
  { name: 'late three times in a row', delays: [LATE, LATE, LATE], verdicts: [0, 0, 1] },
  { name: 'late, and then a little less', delays: [LATE, LATE, LATE, BETWEEN, BETWEEN, BETWEEN], verdicts: [0, 0, 1, 1, 1, 1] },
  { name: 'over', delays: [LATE, LATE, LATE, EARLY, EARLY, EARLY, LATE], verdicts: [0, 0, 1, 1, 1, 0, 0] },
  { name: 'not over yet', delays: [LATE, LATE, LATE, EARLY, EARLY, LATE, EARLY, EARLY], verdicts: [0, 0, 1, 1, 1, 1, 1, 1] },
  { name: 'again', delays: [LATE, LATE, LATE, 0, 0, 0, LATE, LATE, LATE], verdicts: [0, 0, 1, 1, 1, 0, 0, 0, 1] },
]

for (const { name, delays, verdicts } of COURSES) {
  t.test(name, async (t) => {
    const judge = createJudge(100)
    t.strictSame(
      delays.map((delay) => Number(judge(delay))),
      verdicts,
    )
  })
}

/** Keeps the process from anything else. */
function block(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

t.test('an event loop that is busy over and over, and then is not', async (t) => {
  const changes: boolean[] = []
  const onChange = (isOverloaded: boolean) => void changes.push(isOverloaded)
  const overload = createOverload({ maxDelayMs: 400, onChange })
  t.teardown(overload.stop)
  overload.start()
  let isBusy = true
  const work = () => {
    block(600)
    if (isBusy) setImmediate(work)
  }
  work()
  await until(overload.isOverloaded, 60_000)
  isBusy = false
  await until(() => !overload.isOverloaded(), 60_000)
  t.strictSame(changes.slice(0, 2), [true, false])
})

t.test('without a limit nothing is measured', async (t) => {
  const overload = createOverload({ maxDelayMs: Infinity, onChange: () => t.fail() })
  overload.start()
  t.equal(overload.isOverloaded(), false)
  overload.stop()
})
