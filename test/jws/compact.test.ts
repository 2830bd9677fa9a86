import t from 'tap'
import { decodeSegment, needsExtension, splitCompact, text } from '../../src/jws/compact.ts'

t.test('three parts', async (t) => {
  t.strictSame(splitCompact('aa.bb.cc'), {
    header: 'aa',
    payload: 'bb',
    signingInput: 'aa.bb',
    signature: 'cc',
  })
  t.match(splitCompact('aa..'), { payload: '', signature: '' }, 'what they hold is not its concern')
})

t.test('#38 #39 #40 no three parts', async (t) => {
  for (const value of [
    '',
    '.',
    '..',
    'a',
    'a.b',
    '.b.c',
    'a.b.c.',
    'a.b.c.d',
    'a.b.c.d.e',
    '...',
  ]) {
    t.equal(splitCompact(value), undefined, JSON.stringify(value))
  }
})

t.test('a segment', async (t) => {
  t.strictSame(decodeSegment('eyJhIjoxfQ'), { a: 1 })
  for (const segment of ['', 'eyJhIjoxfQ==', 'eyJhIjoxfR', 'eyJhIjoxf', 'W10', 'eyJhIjox fQ']) {
    t.equal(decodeSegment(segment), undefined, JSON.stringify(segment))
  }
})

t.test('#69 to #72, #76 what a header must not ask for', async (t) => {
  for (const header of [
    { crit: [] },
    { crit: undefined },
    { b64: false },
    { zip: null },
    { cty: 'JWT' },
    { cty: 'Application/JWT' },
  ]) {
    t.equal(needsExtension(header), true, JSON.stringify(header))
  }
  for (const header of [{}, { b64: true }, { cty: 'text/plain' }, { cty: 1 }, { x: { crit: 1 } }]) {
    t.equal(needsExtension(header), false, JSON.stringify(header))
  }
})

t.test('text', async (t) => {
  t.equal(text('x'), 'x')
  for (const value of [undefined, null, 1, ['x'], { toString: () => 'x' }]) t.equal(text(value), '')
})
