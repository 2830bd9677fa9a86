import { createHash } from 'node:crypto'
import t from 'tap'
import { replayKey } from '../../src/dpop/replay.ts'

t.test('#171 #172 the name of a pair is the SHA-256 of thumbprint, NUL and jti', async (t) => {
  const jti = 'a\0b\n:+/='
  const expected = createHash('sha256').update(`AAA\0${jti}`).digest('base64url')
  t.equal(replayKey('AAA', jti), expected)
  t.match(replayKey('AAA', 'x'.repeat(10_000)), /^[\w-]{43}$/)
})
