/** The examples of RFC 9449, and what of verifyProof no request shows. The cases: test/conformance. */
import t from 'tap'
import { verifyProof } from '../../src/dpop/proof.ts'
import { PROOF_CHECKS } from '../../src/dpop/proof-checks.ts'
import type { ProofContext } from '../../src/dpop/proof-context.ts'
import { replayKey } from '../../src/dpop/replay.ts'
import { createClient } from '../support/client.ts'
import { rfc9449 } from '../vectors/vectors.ts'
import { contextFor, TARGET } from './context.ts'

const { resourceProof, tokenProof, refreshProof } = rfc9449

/** What an example is verified against, at the instant it was made. */
function contextOf(vector: typeof resourceProof, overrides: Partial<ProofContext> = {}) {
  const { method, target, iat: now } = vector
  return contextFor(rfc9449, { method, target, now, tokenHash: rfc9449.ath, ...overrides })
}

t.test('#106 K1: the example of §7.1', async (t) => {
  const verified = verifyProof([resourceProof.proof], contextOf(resourceProof))
  t.match(verified, {
    jti: resourceProof.jti,
    issuedAt: resourceProof.iat,
    thumbprint: rfc9449.thumbprint,
    remainingSeconds: 90,
  })
  for (const [name, overrides, code] of [
    ['#108', { method: 'POST' }, 'proof_method'],
    ['#116', { target: 'https://resource.example.org/other' }, 'proof_target'],
    ['#160', { now: resourceProof.iat + 61 }, 'proof_expired'],
    ['#161', { now: resourceProof.iat - 31 }, 'proof_premature'],
    ['#198', { tokenHash: rfc9449.thumbprint }, 'proof_token_hash'],
  ] as const) {
    t.throws(
      () => verifyProof([resourceProof.proof], contextOf(resourceProof, overrides)),
      { code },
      name,
    )
  }
})

t.test('#213 K2, K3: proofs of token requests have no ath', async (t) => {
  for (const vector of [tokenProof, refreshProof]) {
    t.throws(() => verifyProof([vector.proof], contextOf(vector)), {
      code: 'proof_claim_missing',
      detail: /^§4\.3 \(3\) .+"received":\{"missing":\["ath"\]\}\}$/,
    })
  }
})

t.test('#174 K2, K3: two proofs with one jti are one for the replay store', async (t) => {
  t.equal(tokenProof.jti, refreshProof.jti)
  t.not(tokenProof.proof, refreshProof.proof)
  const [a, b] = [tokenProof, refreshProof].map(({ jti }) => replayKey(rfc9449.thumbprint, jti))
  t.equal(a, b)
})

t.test('#9 #10 #11 #12 #29 how many there are, and how long', async (t) => {
  const client = await createClient()
  const context = contextFor(client)
  const proof = await client.proof({ url: TARGET, token: 'token' })
  const other = await client.proof({ url: TARGET, token: 'token' })
  const withMax = (maxBytes: number) => ({ ...context, policy: { ...context.policy, maxBytes } })
  for (const [name, lines, code] of [
    ['none', [], 'proof_multiple'],
    ['#9', [proof, other], 'proof_multiple'],
    ['#10', [proof, proof], 'proof_multiple'],
    ['#11', [`${proof}, ${other}`], 'proof_malformed'],
    ['#12', [''], 'proof_malformed'],
    ['#13', [`${proof},`], 'proof_malformed'],
    ['#14', [`"${proof}"`], 'proof_malformed'],
  ] as const) {
    t.throws(() => verifyProof(lines, context), { code }, name)
  }
  t.throws(
    () => verifyProof([proof], withMax(proof.length - 1)),
    { code: 'proof_too_large' },
    '#29',
  )
  t.equal(verifyProof([proof], withMax(proof.length)).thumbprint, client.thumbprint)
})

t.test('#177 how long a proof is to be remembered', async (t) => {
  const client = await createClient()
  const now = 1_700_000_000
  const remaining = async (iat: number, clockSkewSeconds = 30) => {
    const context = contextFor(client, { now })
    const proof = await client.proof({ url: TARGET, token: 'token', claims: { iat } })
    const policy = { ...context.policy, clockSkewSeconds }
    return verifyProof([proof], { ...context, policy }).remainingSeconds
  }
  t.equal(await remaining(now), 90)
  t.equal(await remaining(now + 30), 120)
  t.equal(await remaining(now - 60), 30)
  t.equal(await remaining(now - 60, 0), 1, 'never nothing')
  t.equal(await remaining(now + 0.5), 90.5)
})

t.test('what is logged', async (t) => {
  const client = await createClient()
  const context = contextFor(client)
  const detail = async (claims: object) => {
    const proof = await client.proof({ url: TARGET, token: 'token', claims: { ...claims } })
    try {
      return verifyProof([proof], context).jti
    } catch (error) {
      return error instanceof Error && 'detail' in error ? String(error.detail) : ''
    }
  }
  t.equal(await detail({ htm: 'PUT' }), '§4.3 (8) {"expected":"GET","received":"PUT"}')
  t.equal(
    (await detail({ htu: `https://${'x'.repeat(5000)}` })).length,
    409,
    'not all that a client sends',
  )
  t.match(await detail({ htu: 'x'.repeat(50) }), '"received":"something longer"', 'no URL')
  t.equal(
    await detail({ ath: 'secret' }),
    '§4.3 (12) {"expected":"base64url(SHA-256(access token))","received":"another value"}',
    'no hash of a token',
  )
})

t.test('the checks are those of §4.3', async (t) => {
  const steps = new Set(PROOF_CHECKS.map(({ step }) => step))
  t.strictSame(
    [...steps].sort((a, b) => a - b),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
  )
})
