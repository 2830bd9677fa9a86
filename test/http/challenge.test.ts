import t from 'tap'
import { REFUSALS, type DenialCode } from '../../src/denial.ts'
import { createChallenger } from '../../src/http/challenge.ts'

const challenge = createChallenger(['ES256', 'EdDSA'], ['orders:read', 'orders:write'])

// prettier-ignore
const WRITTEN: Readonly<Partial<Record<DenialCode, string | undefined>>> = {
  credentials_missing: 'DPoP algs="ES256 EdDSA"',
  proof_method: 'DPoP error="invalid_dpop_proof", error_description="htm does not match the request method", algs="ES256 EdDSA"',
  token_expired: 'DPoP error="invalid_token", error_description="The access token has expired", algs="ES256 EdDSA"',
  scope_insufficient: 'DPoP error="insufficient_scope", error_description="The access token lacks a scope this route requires", scope="orders:read orders:write", algs="ES256 EdDSA"',
  replay_store_unavailable: undefined,
  route_unknown: undefined,
  upstream_timeout: undefined,
}

for (const [code, written] of Object.entries(WRITTEN)) {
  t.test(`RFC 9449 §7.1 ${code}`, async (t) => {
    t.equal(challenge(code as DenialCode), written)
    t.equal(challenge(code as DenialCode), written, 'the second time, too')
  })
}

t.test('#259 every challenge is made of quoted strings of printable ASCII', async (t) => {
  // RFC 6750 §3: error_description has no quotation mark and no backslash.
  const parameter = '[a-z_]+="[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]*"'
  const form = new RegExp(`^DPoP ${parameter}(, ${parameter})*$`)
  for (const code of Object.keys(REFUSALS) as DenialCode[]) {
    const written = challenge(code)
    if (written !== undefined) t.match(written, form, code)
  }
})

t.test('a quotation mark or a backslash cannot end the string', async (t) => {
  const written = createChallenger(['ES256'], ['a"b\\c'])('scope_insufficient')
  t.match(written, String.raw`scope="a\"b\\c"`)
})
