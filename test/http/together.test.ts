import t from 'tap'
import { comeTo, createTogether } from '../../src/http/together.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

t.test(
  'what comes up in one turn is done in a row, and what follows on it after all of it',
  async (t) => {
    const together = createTogether()
    const done: string[] = []
    const work = (name: string) =>
      comeTo(together, () => {
        done.push(name)
        return name
      }).then((result) => done.push(`after ${result}`))
    const all = Promise.all([work('a'), work('b')])
    t.strictSame(done, [])
    await all
    t.strictSame(done, ['a', 'b', 'after a', 'after b'])
  },
)

t.test('an error is that of its own work, thrown or rejected', async (t) => {
  const together = createTogether()
  const failing = (begin: () => Promise<never>) =>
    t.rejects(comeTo(together, begin), { message: 'no' })
  const fine = comeTo(together, () => 'fine')
  await failing(() => {
    throw new Error('no')
  })
  await failing(() => Promise.reject(new Error('no')))
  t.equal(await fine, 'fine')
})

t.test('one that throws keeps none of the others from being done', async (t) => {
  const bug = new Error('a bug')
  const caught: unknown[] = []
  // As a bug is: Node's own listeners, of tap, are put back in the end.
  const listeners = process.rawListeners('uncaughtException')
  process.removeAllListeners('uncaughtException').once('uncaughtException', (error) => {
    caught.push(error)
  })
  t.teardown(() => {
    for (const listener of listeners) {
      process.on('uncaughtException', listener as NodeJS.UncaughtExceptionListener)
    }
  })
  const together = createTogether()
  const done: string[] = []
  together(() => void done.push('before'))
  together(() => {
    throw bug
  })
  together(() => void done.push('behind'))
  await turn()
  await turn()
  t.strictSame(done, ['before', 'behind'])
  t.strictSame(caught, [bug])
})

t.test('what comes up meanwhile is done in the next turn', async (t) => {
  const together = createTogether()
  const done: string[] = []
  together(() => {
    done.push('first')
    together(() => void done.push('second'))
  })
  await turn()
  t.strictSame(done, ['first'])
  await turn()
  t.strictSame(done, ['first', 'second'])
})
