import fc from 'fast-check'
import t from 'tap'
import { Denial } from '../../src/denial.ts'
import { identityFields, type IdentityRules } from '../../src/http/identity.ts'
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

const RULES = { headers: [['X-Claim', 'claim']], token: 'drop' } as const

function fieldsOf(value: unknown, rules: IdentityRules = RULES): readonly string[] {
  return identityFields({ token: token({ claim: value }), proof: undefined, now: 0 }, rules)
}

/** The one field made of a claim of this value; undefined where there is none. */
function fieldOf(value: unknown): string | undefined {
  return fieldsOf(value)[1]
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
  { name: 'a list of lists', value: [['a', 'b'], 'c'], field: '["a"%2C"b"],c' },
  { name: 'an object in a list', value: [{ a: 1, b: 'x' }], field: '{"a":1%2C"b":"x"}' },
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

t.test('a claim is handed on whole or not at all', async (t) => {
  const whole = 'x'.repeat(8000)
  t.equal(fieldOf(whole), whole)
  t.equal(fieldOf('é'.repeat(1333))?.length, 7998, 'as it is sent')
  for (const value of [`${whole}x`, 'é'.repeat(1334), ['x'.repeat(7999), 'x']]) {
    t.throws(() => fieldOf(value), { code: 'claim_refused', detail: /^claim claim: too long/ })
    t.throws(() => fieldOf(value), Denial)
  }
  t.equal(fieldsOf(`${whole}x`, { ...RULES, maxLength: Infinity })[1], `${whole}x`)
})

t.test('an assertion is one more field', async (t) => {
  const assert = (value: string | undefined) => ({ header: 'X-Assertion', assert: () => value })
  t.strictSame(fieldsOf('a', { ...RULES, assertion: assert('b') }), [
    ...['X-Claim', 'a', 'X-Assertion', 'b'],
  ])
  t.strictSame(fieldsOf('a', { ...RULES, assertion: assert(undefined) }), ['X-Claim', 'a'])
  const long = { ...RULES, assertion: assert('x'.repeat(8001)) }
  t.throws(() => fieldsOf('a', long), { code: 'claim_refused', detail: /^the assertion: too long/ })
})

/** Any text, with what is dangerous in a header more often than by chance. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom(' ', '\t', '\r', '\n', '\0', ',', '%', 'a', 'é', '\u00a0', '\ufeff'),
  }),
)

/** Also what is no well-formed text. */
const halves = fc
  .array(fc.integer({ min: 0xd7f0, max: 0xe010 }))
  .map((units) => String.fromCharCode(...units))

t.test('no value of a claim makes anything but one field of visible ASCII', async () => {
  const anyValue = fc.oneof(anyText, fc.array(anyText), fc.jsonValue(), halves)
  fc.assert(
    fc.property(anyValue, (value) => {
      const rules = { ...RULES, maxLength: Infinity }
      const [name = 'X-Claim', field = 'x', ...others] = fieldsOf(value, rules)
      return name === 'X-Claim' && /^[!-~]([ -~]*[!-~])?$/.test(field) && others.length === 0
    }),
    { numRuns: 2000 },
  )
})

t.test('a text is what it was once it is decoded', async () => {
  fc.assert(
    fc.property(anyText, (value) => {
      const wellFormed = value.toWellFormed()
      return decodeURIComponent(fieldOf(value) ?? '') === wellFormed
    }),
    { numRuns: 2000 },
  )
})

t.test('a list is what it was once it is taken apart and decoded', async (t) => {
  fc.assert(
    fc.property(fc.array(anyText, { minLength: 1 }), (value) => {
      const decoded = (fieldOf(value) ?? '').split(',').map(decodeURIComponent)
      t.strictSame(decoded, value)
    }),
    { numRuns: 500 },
  )
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
  const proof = {
    jti: 'j',
    issuedAt: 0,
    thumbprint: 'jkt',
    remainingSeconds: 1,
    nonce: '',
    nonceMadeAt: undefined,
  }
  const header = { segment: '', wellFormed: true, typ: '', alg: '', leaksKey: false }
  const grant = {
    token: token({ sub: 'mallory' }),
    now: 0,
    proof: { ...proof, header: { ...header, key: () => 'unusable' as const } },
  }
  t.strictSame(identityFields(grant, { headers, token: 'drop' }), [
    ...['X-Sub', 'alice', 'X-Scope', 'read write'],
    ...['X-Iss', 'https://as.example.com', 'X-Jkt', 'jkt'],
  ])
})
