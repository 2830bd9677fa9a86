import t from 'tap'
import { createBackoff } from '../../src/workers/backoff.ts'

t.test('each wait is twice the one before, up to half a minute', async (t) => {
  const { next } = createBackoff()
  const waits = Array.from({ length: 9 }, () => next(0))
  t.strictSame(waits, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
})

t.test('after one that has lasted for a minute it begins anew', async (t) => {
  const { next } = createBackoff()
  next(0)
  next(59_999)
  t.equal(next(59_999), 2000)
  t.equal(next(60_000), 500)
  t.equal(next(0), 1000)
})
