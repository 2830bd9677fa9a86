import t from 'tap'
import { decodeBase64url } from '../../src/jws/base64url.ts'

t.test(
  '#46 to #49 every one of the short texts is decoded as RFC 4648 has it, or refused',
  async (t) => {
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/= \n.\0é'
    for (const a of letters) {
      for (const b of letters) {
        for (const text of [a, a + b, `A${a}${b}`, `AA${a}${b}`, `AAAA${a}${b}`]) {
          const lenient = Buffer.from(text, 'base64url')
          const expected = lenient.toString('base64url') === text ? lenient : undefined
          if (decodeBase64url(text)?.equals(expected ?? Buffer.alloc(0)) !== (expected && true)) {
            t.fail(JSON.stringify(text))
          }
        }
      }
    }
  },
)

t.test('the empty text is no value', async (t) => {
  t.equal(decodeBase64url(''), undefined)
})

t.test('#47 #49 a long text with a flaw at its end, in linear time', async (t) => {
  const long = 'A'.repeat(1_000_000)
  t.equal(decodeBase64url(long)?.length, 750_000)
  for (const end of ['=', ' ', '\n', 'A', 'AAB', 'B']) {
    t.equal(decodeBase64url(long + end), undefined, JSON.stringify(end))
  }
})
