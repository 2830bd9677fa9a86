import t from 'tap'
import { REFUSALS, type DenialCode } from '../../src/denial.ts'
import { createChallenger, type Scheme } from '../../src/http/challenge.ts'
import { PLAIN_CHALLENGES } from './plain-route.ts'

const HERE = 'https://api.example.com'
const RULES = {
  ...PLAIN_CHALLENGES,
  algorithms: ['ES256', 'EdDSA'],
  scopes: ['orders:read', 'orders:write'],
  authentication: { contexts: ['urn:example:mfa', 'phr'], maxAgeSeconds: 600 },
}
const challenge = createChallenger(RULES)
const mixed = createChallenger({ ...RULES, acceptsBearer: true })

// prettier-ignore
const WRITTEN: Readonly<Partial<Record<DenialCode, readonly string[]>>> = {
  credentials_missing: ['DPoP algs="ES256 EdDSA", scope="orders:read orders:write"'],
  proof_method: ['DPoP error="invalid_dpop_proof", error_description="htm does not match the request method", algs="ES256 EdDSA"'],
  token_expired: ['DPoP error="invalid_token", error_description="The access token has expired", algs="ES256 EdDSA"'],
  scope_insufficient: ['DPoP error="insufficient_scope", error_description="The access token lacks a scope this route requires", algs="ES256 EdDSA", scope="orders:read orders:write"'],
  authentication_insufficient: ['DPoP error="insufficient_user_authentication", error_description="The user must authenticate again, or more strongly, for this route", acr_values="urn:example:mfa phr", max_age="600", algs="ES256 EdDSA"'],
  replay_store_unavailable: [],
  route_unknown: [],
  upstream_timeout: [],
}

for (const [code, written] of Object.entries(WRITTEN)) {
  t.test(`RFC 9449 §7.1 ${code}`, async (t) => {
    for (const sent of ['dpop', 'bearer'] as const) {
      t.strictSame(challenge(code as DenialCode, sent, HERE), written, sent)
      t.strictSame(challenge(code as DenialCode, sent, HERE), written, 'the second time, too')
    }
  })
}

// prettier-ignore
const MIXED: readonly (readonly [code: DenialCode, sent: Scheme, lines: readonly string[]])[] = [
  ['credentials_missing', 'dpop', ['DPoP algs="ES256 EdDSA", scope="orders:read orders:write"', 'Bearer scope="orders:read orders:write"']],
  ['token_bound', 'bearer', ['DPoP algs="ES256 EdDSA"', `Bearer error="invalid_token", error_description="${REFUSALS.token_bound.description}"`]],
  ['token_expired', 'dpop', ['DPoP error="invalid_token", error_description="The access token has expired", algs="ES256 EdDSA"', 'Bearer']],
  ['credentials_multiple', 'bearer', ['DPoP error="invalid_request", error_description="The access token was sent more than once", algs="ES256 EdDSA"', 'Bearer error="invalid_request", error_description="The access token was sent more than once"']],
]

for (const [code, sent, lines] of MIXED) {
  t.test(`RFC 9449 §7.2 ${code} after ${sent}, where both schemes are taken`, async (t) => {
    t.strictSame(mixed(code, sent, HERE), lines)
  })
}

t.test('#259 every challenge is made of quoted strings of printable ASCII', async (t) => {
  // RFC 6750 §3: error_description has no quotation mark and no backslash.
  const parameter = '[a-z_]+="[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]*"'
  const form = new RegExp(`^(DPoP|Bearer)( ${parameter}(, ${parameter})*)?$`)
  for (const code of Object.keys(REFUSALS) as DenialCode[]) {
    for (const sent of ['dpop', 'bearer'] as const) {
      for (const line of [...challenge(code, sent, HERE), ...mixed(code, sent, HERE)])
        t.match(line, form, code)
    }
  }
})

t.test('a quotation mark or a backslash cannot end the string', async (t) => {
  const [written] = createChallenger({ ...RULES, scopes: ['a"b\\c'] })(
    'scope_insufficient',
    'dpop',
    HERE,
  )
  t.match(written, String.raw`scope="a\"b\\c"`)
})
