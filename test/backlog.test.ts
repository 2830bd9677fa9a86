import { Writable } from 'node:stream'
import t from 'tap'
import { createBacklog } from '../src/backlog.ts'
import { until } from './support/until.ts'

/** A stream that takes one block and no other until it is read. */
function createPipe() {
  const blocks: string[] = []
  let taken: ((error?: Error) => void) | undefined
  const sink = new Writable({
    decodeStrings: false,
    write(block: string, _, done) {
      blocks.push(block)
      taken = done
    },
  })
  const read = (error?: Error) => {
    const done = taken
    taken = undefined
    done?.(error)
  }
  return { sink, blocks, read }
}

function setUp(maxLength?: number) {
  const pipe = createPipe()
  const recoveries: number[] = []
  const onRecovery = (lines: number) => void recoveries.push(lines)
  const options = maxLength === undefined ? { onRecovery } : { maxLength, onRecovery }
  return { ...pipe, recoveries, backlog: createBacklog(pipe.sink, options) }
}

const TEN = '123456789\n'

t.test('lines are written together, a moment later', async (t) => {
  const { backlog, blocks } = setUp()
  backlog.write('a\n')
  backlog.write('b\n')
  t.strictSame(blocks, [])
  await until(() => blocks.length > 0)
  t.strictSame(blocks, ['a\nb\n'])
})

t.test('a whole block is written at once', async (t) => {
  const { backlog, blocks } = setUp()
  backlog.write(`${'x'.repeat(64 * 1024)}\n`)
  t.equal(blocks.length, 1)
})

t.test('beyond the bound lines are dropped, counted, and told of once', async (t) => {
  const { backlog, blocks, read, recoveries } = setUp(100)
  for (let line = 0; line < 13; line++) backlog.write(TEN)
  t.equal(backlog.lost(), 3)
  backlog.flush(() => undefined)
  backlog.write(TEN)
  t.equal(backlog.lost(), 4, 'what is under way counts as well')
  read()
  await until(() => recoveries.length > 0)
  t.strictSame(recoveries, [4])
  t.strictSame(blocks, [TEN.repeat(10)])

  backlog.write(TEN)
  await until(() => blocks.length === 2)
  read()
  let isThrough = false
  backlog.flush(() => (isThrough = true))
  await until(() => isThrough)
  t.strictSame(recoveries, [4], 'not again')
  t.equal(backlog.lost(), 4)
})

t.test('what could not be written is lost', async (t) => {
  const { backlog, read, sink } = setUp()
  sink.on('error', () => undefined)
  backlog.write('a\n')
  backlog.write('b\n')
  let isThrough = false
  backlog.flush(() => (isThrough = true))
  read(new Error('EPIPE'))
  await until(() => isThrough)
  t.equal(backlog.lost(), 2)
  backlog.write('c\n')
  backlog.flush(() => undefined)
  await until(() => backlog.lost() === 3)
})

t.test('a flush is through when nothing waits any more', async (t) => {
  const { backlog, blocks, read } = setUp()
  let flushes = 0
  const onFlush = () => (flushes += 1)
  backlog.flush(onFlush)
  t.equal(flushes, 1, 'at once where nothing does')
  backlog.write('a\n')
  backlog.flush(onFlush)
  backlog.write('b\n')
  t.strictSame(blocks, ['a\n'])
  read()
  await until(() => blocks.length === 2)
  t.equal(flushes, 1)
  read()
  await until(() => flushes === 2)
  t.strictSame(blocks, ['a\n', 'b\n'])
})
