import t from 'tap'
import { createLogger, createTimestamp, flushLog, lostLines } from '../src/log.ts'

t.test('a line is one JSON object, without what every line would have', async (t) => {
  const lines: string[] = []
  const logger = createLogger({ level: 'info' }, { write: (line) => void lines.push(line) })
  logger.debug('not this one')
  logger.info({ route: 'api' }, 'request')
  t.equal(lines.length, 1)
  t.match(lines[0], /^\{.*\}\n$/)
  const { time, ...line } = JSON.parse(lines[0] ?? '') as Record<string, unknown>
  t.strictSame(line, { level: 30, route: 'api', msg: 'request' })
  t.match(time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
})

t.test('the time is that of the line, to the millisecond', async (t) => {
  let now = 0
  const timestamp = createTimestamp(() => now)
  const start = Date.UTC(2026, 1, 28, 23, 59, 59)
  const offsets = [0, 7, 42, 999, 1000, 1000, 1001, 500, 86_400_000, -1]
  const instants = [...offsets.map((it) => start + it), -1, Date.UTC(12_026, 0)]
  for (now of instants) t.equal(timestamp(), `,"time":"${new Date(now).toISOString()}"`)
})

t.test('a flush waits for what takes the lines, and not for ever', async (t) => {
  const calls: string[] = []
  const flush = (done: () => void) => {
    calls.push('flush')
    done()
  }
  await flushLog(createLogger({ level: 'info' }, { write: () => true, ...{ flush } }))
  t.strictSame(calls, ['flush'])
  const start = performance.now()
  const never = { write: () => true, flush: () => undefined }
  await flushLog(createLogger({ level: 'info' }, never))
  t.ok(performance.now() - start > 1900)
})

t.test('nothing is lost where somebody reads', async (t) => {
  t.equal(lostLines(), 0)
})
