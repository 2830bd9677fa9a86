import t from 'tap'
import { createBreaker } from '../src/breaker.ts'

function createTestBreaker() {
  let now = 100
  const breaker = createBreaker({ maxFailures: 3, restSeconds: 0.25, monotonic: () => now })
  return { breaker, pass: (seconds: number) => void (now += seconds) }
}

function fail(breaker: ReturnType<typeof createBreaker>, times: number): void {
  for (let i = 0; i < times; i += 1) breaker.failed()
}

t.test('opens after failures in a row only', async (t) => {
  const { breaker } = createTestBreaker()
  fail(breaker, 2)
  breaker.succeeded()
  fail(breaker, 2)
  t.equal(breaker.admits(), true)
  t.equal(breaker.resting, false)
  fail(breaker, 1)
  t.equal(breaker.admits(), false)
  t.equal(breaker.resting, true)
})

t.test('lets one probe through each rest', async (t) => {
  const { breaker, pass } = createTestBreaker()
  fail(breaker, 3)
  pass(0.25)
  t.equal(breaker.resting, false)
  t.same([breaker.admits(), breaker.admits()], [true, false])
  fail(breaker, 1)
  pass(0.2)
  t.equal(breaker.admits(), false)
  pass(0.05)
  t.equal(breaker.admits(), true)
})

t.test('a probe that never reports does not jam it', async (t) => {
  const { breaker, pass } = createTestBreaker()
  fail(breaker, 3)
  pass(0.25)
  breaker.admits()
  pass(0.25)
  t.equal(breaker.admits(), true)
})

t.test('closes on the first success', async (t) => {
  const { breaker, pass } = createTestBreaker()
  fail(breaker, 3)
  pass(0.25)
  breaker.admits()
  breaker.succeeded()
  t.same([breaker.admits(), breaker.admits(), breaker.resting], [true, true, false])
  fail(breaker, 2)
  t.equal(breaker.admits(), true)
})
