import t from 'tap'
import { identityFields } from '../../src/http/identity.ts'
import type { AccessToken } from '../../src/token/access-token.ts'

const token = (claims: Readonly<Record<string, unknown>>): AccessToken => ({
  issuer: 'https://as.example.com',
  issuerName: 'main',
  subject: 'alice',
  clientId: undefined,
  scopes: ['read', 'write'],
  thumbprint: 'jkt',
  expiresAt: 0,
  claims,
})

/** The one field made of a claim of this value; undefined where there is none. */
function fieldOf(value: unknown): string | undefined {
  const rules = { headers: [['X-Claim', 'claim']], token: 'drop' } as const
  return identityFields({ token: token({ claim: value }), proof: undefined }, rules)[1]
}

// prettier-ignore
const VALUES = [
  { name: 'plain text', value: 'alice@example.com|x', field: 'alice@example.com|x' },
  { name: 'CR and LF', value: 'a\r\nX-Admin: yes', field: 'a%0D%0AX-Admin: yes' },
  { name: 'a line feed at the end', value: 'a\n', field: 'a%0A' },
  { name: 'a NUL', value: 'a\0b', field: 'a%00b' },
  { name: 'a percent sign', value: '100%41', field: '100%2541' },
  { name: 'Latin letters', value: 'Zoë', field: 'Zo%C3%AB' },
  { name: 'an emoji', value: '😀', field: '%F0%9F%98%80' },
  { name: 'half an emoji', value: '\ud83d', field: '%EF%BF%BD' },
  { name: 'a line separator', value: 'a\u2028b', field: 'a%E2%80%A8b' },
  { name: 'white space at the ends', value: '  a b ', field: '%20%20a b%20' },
  { name: 'nothing but spaces', value: '  ', field: '%20%20' },
  { name: 'a tab', value: 'a\tb', field: 'a%09b' },
  { name: 'a number', value: 12.5, field: '12.5' },
  { name: 'false', value: false, field: 'false' },
  { name: 'a list', value: ['a', 'b c'], field: 'a,b c' },
  { name: 'a comma inside of a list', value: ['a,b', 'c'], field: 'a%2Cb,c' },
  { name: 'a line end inside of a list', value: ['a\r\nb'], field: 'a%0D%0Ab' },
  { name: 'a list of lists', value: [['a', 'b'], 'c'], field: 'a%2Cb,c' },
  { name: 'an object', value: { a: 'é\n' }, field: String.raw`{"a":"%C3%A9\n"}` },
  { name: 'an empty text', value: '', field: undefined },
  { name: 'an empty list', value: [], field: undefined },
  { name: 'null', value: null, field: undefined },
  { name: 'a missing claim', value: undefined, field: undefined },
]

for (const { name, value, field } of VALUES) {
  t.test(`a claim: ${name}`, async (t) => {
    t.equal(fieldOf(value), field)
  })
}

t.test('a claim of any length goes through whole', async (t) => {
  const value = 'é\n'.repeat(5_000)
  t.equal(decodeURIComponent(fieldOf(value) ?? ''), value)
})

t.test('sources are what the token says, not what an object inherits', async (t) => {
  const headers = [
    ['X-Sub', 'sub'],
    ['X-Client', 'client_id'],
    ['X-Scope', 'scope'],
    ['X-Iss', 'iss'],
    ['X-Jkt', 'cnf.jkt'],
    ['X-Constructor', 'constructor'],
    ['X-Proto', '__proto__'],
  ] as const
  const proof = { jti: 'j', issuedAt: 0, thumbprint: 'jkt', remainingSeconds: 1, nonce: '' }
  const header = { segment: '', wellFormed: true, typ: '', alg: '', leaksKey: false }
  const grant = {
    token: token({ sub: 'mallory' }),
    proof: { ...proof, header: { ...header, key: () => 'unusable' as const } },
  }
  t.strictSame(identityFields(grant, { headers, token: 'drop' }), [
    ...['X-Sub', 'alice', 'X-Scope', 'read write'],
    ...['X-Iss', 'https://as.example.com', 'X-Jkt', 'jkt'],
  ])
})
