import t from 'tap'
import { readCredentials } from '../../src/dpop/credentials.ts'
import { lines } from '../vectors/vectors.ts'

const read = (authorization: readonly string[], proofs = ['proof'], query = '', maxBytes = 100) =>
  readCredentials({ authorization, proofs, query }, maxBytes)

t.test('#7 #18 #21 Authorization that is well-formed', async (t) => {
  for (const line of lines('authorization-valid.txt')) {
    const [scheme = '', token] = line.split(/ +/)
    const proofs = scheme.toLowerCase() === 'dpop' ? ['proof'] : []
    t.strictSame(read([line], proofs), { scheme: scheme.toLowerCase(), token, proofs }, line)
  }
})

t.test('#17 #19 #20 #22 #23 Authorization that is not', async (t) => {
  for (const line of lines('authorization-invalid.txt')) {
    const [, code, value = ''] = /^(\w+) (.*)$/.exec(line) ?? []
    t.throws(() => read([String(JSON.parse(value))]), { code }, line)
  }
})

t.test('how many there are of what', async (t) => {
  const dpop = 'DPoP token'
  for (const [name, run, code] of [
    ['#2 nothing', () => read([], []), 'credentials_missing'],
    ['#3 a proof alone', () => read([]), 'credentials_missing'],
    ['#4 no proof', () => read([dpop], []), 'proof_missing'],
    ['#6 Bearer with a proof', () => read(['Bearer token']), 'credentials_mixed'],
    ['#15 two', () => read([dpop, 'Bearer token']), 'credentials_multiple'],
    ['#16 two alike', () => read([dpop, dpop]), 'credentials_multiple'],
    [
      '#25 in the query as well',
      () => read([dpop], ['p'], 'access_token=x'),
      'credentials_multiple',
    ],
    ['#25 encoded', () => read([dpop], ['p'], 'a=1&access%5Ftoken='), 'credentials_multiple'],
    ['#24 in the query alone', () => read([], [], 'access_token=x'), 'credentials_missing'],
    ['#30 too long', () => read([`DPoP ${'x'.repeat(101)}`]), 'token_malformed'],
  ] as const) {
    t.throws(run, { code }, name)
  }
  t.match(read([`DPoP ${'x'.repeat(100)}`]), { token: 'x'.repeat(100) }, '#30 as long as it may be')
  t.match(read([dpop], ['p'], 'x=access_token'), { token: 'token' })
  t.strictSame(read([dpop], ['a', 'b']).proofs, ['a', 'b'], '#9 counted with the other checks')
})
