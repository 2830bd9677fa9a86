import t from 'tap'
import { cacheTokens, type TokenCache } from '../../src/token/cached.ts'
import { readAccessToken } from '../../src/token/claims.ts'
import { chooseWay, type AskedIssuer } from '../../src/token/way.ts'

const NOW = 1_700_000_000
const [ASKED, OTHER] = ['https://asked.example', 'https://other.example']
const RULES = { name: 'main', issuer: ASKED, audience: 'none', clockSkewSeconds: 0 } as const

const encode = (value: string | object) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** A JWT as far as it can be told without a key. */
const jwt = (claims: string | object, header: object = {}) =>
  `${encode({ alg: 'ES256', ...header })}.${encode(claims)}.${'A'.repeat(86)}`

/** The two ways, which take every token for a minute, and who took which. */
function createWays(asked: Partial<AskedIssuer> = {}) {
  const taken: string[] = []
  const way = (name: string): TokenCache =>
    cacheTokens(async (token) => {
      taken.push(name)
      const accessToken = readAccessToken({ sub: name, token }, RULES, NOW + 60, NOW)
      return { accessToken, isTrusted: () => true }
    })
  const signed = way('by key')
  const tokens = way('asked')
  const issuers = new Set([ASKED, OTHER])
  const verify = chooseWay(signed, { issuer: ASKED, always: false, tokens, ...asked }, issuers)
  const send = async (token: string) => (await verify(token, token, NOW)).subject
  return { signed, tokens, taken, send, issuers }
}

t.test('nobody is asked: by key, whatever it is', async (t) => {
  const { signed, issuers } = createWays()
  t.equal(chooseWay(signed, undefined, issuers), signed.verify)
})

for (const [name, token, way] of [
  ['opaque', 'Jb2_gJ8kQ', 'asked'],
  ['a JWT of the issuer asked', jwt({ iss: ASKED }), 'by key'],
  ['a JWT of another configured issuer', jwt({ iss: OTHER }), 'by key'],
  ['#220 a JWT of nobody configured', jwt({ iss: 'https://evil.example' }), 'asked'],
  ['#220 iss with a slash', jwt({ iss: `${OTHER}/` }), 'asked'],
  ['#220 iss absent', jwt({ sub: 'alice' }), 'asked'],
  ['#220 iss an array', jwt({ iss: [OTHER] }), 'asked'],
  ['#220 iss null', jwt({ iss: null }), 'asked'],
  ['#220 iss empty', jwt({ iss: '' }), 'asked'],
  ['#228 iss twice', jwt(`{"iss":"${OTHER}","iss":"${OTHER}"}`), 'asked'],
  ['#229 five parts', `${jwt({ iss: OTHER })}.AAAA.AAAA`, 'asked'],
  ['two parts', jwt({ iss: OTHER }).replace(/\.[^.]*$/, ''), 'asked'],
  ['claims that are no object', jwt('[]'), 'asked'],
  ['claims that are no JSON', jwt('iss'), 'asked'],
  ['header that is no JSON', `e30x.${jwt({ iss: OTHER }).split('.')[1] ?? ''}.AAAA`, 'asked'],
  [
    '#216 alg none, no signature',
    jwt({ iss: OTHER }, { alg: 'none' }).replace(/A+$/, ''),
    'by key',
  ],
] as const) {
  t.test(`${name}: ${way}`, async (t) => {
    t.equal(await createWays().send(token), way)
  })
}

t.test('always: its own JWTs as well, and those of no other', async (t) => {
  const { send } = createWays({ always: true })
  t.equal(await send(jwt({ iss: ASKED })), 'asked')
  t.equal(await send(jwt({ iss: OTHER })), 'by key')
  t.equal(await send('opaque'), 'asked')
})

t.test('what one way has taken is recalled, whatever the token looks like', async (t) => {
  const { send, taken, signed, tokens } = createWays()
  await tokens.verify(jwt({ iss: OTHER }), jwt({ iss: OTHER }), NOW)
  await signed.verify('opaque', 'opaque', NOW)
  t.equal(await send(jwt({ iss: OTHER })), 'asked')
  t.equal(await send('opaque'), 'by key')
  t.strictSame(taken, ['asked', 'by key'], 'no way was gone again')
})

t.test('what is no longer good is not recalled', async (t) => {
  const { taken, signed, tokens, issuers } = createWays()
  const asked = { issuer: ASKED, always: false, tokens }
  const verify = chooseWay(signed, asked, issuers)
  for (const now of [NOW, NOW + 59, NOW + 60]) await verify('opaque', 'hash', now)
  t.strictSame(taken, ['asked', 'asked'])
})
