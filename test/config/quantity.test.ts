import t from 'tap'
import { z } from 'zod'
import { duration, size, sizeOrNone } from '../../src/config/quantity.ts'

t.test('durations, there and back', async (t) => {
  const rows = [
    { text: '0ms', ms: 0 },
    { text: '150ms', ms: 150 },
    { text: '90s', ms: 90_000 },
    { text: '5m', ms: 300_000 },
    { text: '24h', ms: 86_400_000 },
  ]
  for (const { text, ms } of rows) {
    t.equal(duration().parse(text), ms)
    t.equal(z.encode(duration(), ms), text)
  }
  t.equal(duration().parse('0s'), 0)
})

t.test('what is no duration', async (t) => {
  const rows = ['60', '1.5s', '-1s', '1 s', '1S', '1d', 's', '', '1m30s', '25h', 60, null]
  for (const value of rows) t.notOk(duration().safeParse(value).success, String(value))
})

t.test('sizes, there and back', async (t) => {
  const bounds = { min: '1B', max: '2GiB' }
  const rows = [
    { text: '512B', bytes: 512 },
    { text: '16KiB', bytes: 16_384 },
    { text: '1MiB', bytes: 1_048_576 },
    { text: '2GiB', bytes: 2_147_483_648 },
  ]
  for (const { text, bytes } of rows) {
    t.equal(size(bounds).parse(text), bytes)
    t.equal(z.encode(size(bounds), bytes), text)
  }
  for (const text of ['0B', '3GiB', '16KB', '16K', '16', 'none']) {
    t.notOk(size(bounds).safeParse(text).success, text)
  }
})

t.test('none is no limit', async (t) => {
  t.equal(sizeOrNone().parse('none'), Infinity)
  t.equal(z.encode(sizeOrNone(), Infinity), 'none')
  t.equal(sizeOrNone().parse('1KiB'), 1024)
  t.notOk(sizeOrNone().safeParse('0B').success)
})
