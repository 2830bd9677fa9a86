import t from 'tap'
import { resultAtTurnEnd, createTurnEnd } from '../../src/http/turn-end.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

t.test(
  'what comes up in one turn is done in a row, and what follows on it after all of it',
  async (t) => {
    const atTurnEnd = createTurnEnd()
    const done: string[] = []
    const work = (name: string) =>
      resultAtTurnEnd(atTurnEnd, () => {
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
  const atTurnEnd = createTurnEnd()
  const failing = (begin: () => Promise<never>) =>
    t.rejects(resultAtTurnEnd(atTurnEnd, begin), { message: 'no' })
  const fine = resultAtTurnEnd(atTurnEnd, () => 'fine')
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
  const atTurnEnd = createTurnEnd()
  const done: string[] = []
  atTurnEnd(() => void done.push('before'))
  atTurnEnd(() => {
    throw bug
  })
  atTurnEnd(() => void done.push('behind'))
  await turn()
  await turn()
  t.strictSame(done, ['before', 'behind'])
  t.strictSame(caught, [bug])
})

t.test('work of many leaves room for others in between', async (t) => {
  const atTurnEnd = createTurnEnd()
  const perTurn: number[] = []
  let done = 0
  for (let nth = 0; nth < 70; nth++)
    atTurnEnd(() => {
      done++
    })
  while (done < 70) {
    await turn()
    perTurn.push(done)
  }
  t.strictSame(perTurn, [32, 64, 70])
})

t.test('what comes up meanwhile is done in the next turn', async (t) => {
  const atTurnEnd = createTurnEnd()
  const done: string[] = []
  atTurnEnd(() => {
    done.push('first')
    atTurnEnd(() => void done.push('second'))
  })
  await turn()
  t.strictSame(done, ['first'])
  await turn()
  t.strictSame(done, ['first', 'second'])
})
