import t from 'tap'
import { createTurns } from '../../src/workers/turns.ts'

t.test('one after the other, also where one fails', async (t) => {
  const inTurn = createTurns()
  const steps: string[] = []
  const work = (name: string) => async () => {
    steps.push(`${name} begins`)
    await new Promise((resolve) => setImmediate(resolve))
    steps.push(`${name} ends`)
    if (name === 'b') throw new Error(name)
    return name
  }
  const [a, b, c] = [inTurn(work('a')), inTurn(work('b')), inTurn(work('c'))]
  t.equal(await a, 'a')
  await t.rejects(b, { message: 'b' })
  t.equal(await c, 'c')
  t.strictSame(
    steps,
    ['a', 'b', 'c'].flatMap((name) => [`${name} begins`, `${name} ends`]),
  )
})
