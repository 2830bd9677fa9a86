import t from 'tap'
import { createSlots } from '../../src/issuer/slots.ts'

const LONG = 60_000

t.test('as many at once as there are slots, and the others in turn', async (t) => {
  const slots = createSlots(2, 2)
  const [first, second] = [await slots.take(LONG), await slots.take(LONG)]
  t.ok(first && second)
  const order: string[] = []
  const third = slots.take(LONG).then((release) => {
    order.push('third')
    return release
  })
  const fourth = slots.take(LONG).then((release) => {
    order.push('fourth')
    return release
  })
  t.equal(await slots.take(LONG), undefined, 'the queue is full')
  first?.()
  const release = await third
  t.strictSame(order, ['third'])
  release?.()
  await fourth
  t.strictSame(order, ['third', 'fourth'])
})

t.test('who waits too long is told so, and takes no slot later', async (t) => {
  const slots = createSlots(1, 1)
  const release = await slots.take(LONG)
  t.equal(await slots.take(1), undefined)
  release?.()
  t.ok(await slots.take(1), 'the slot is free')
})
