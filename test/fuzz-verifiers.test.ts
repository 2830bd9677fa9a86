/**
 * Proofs and tokens that are rightly signed, whatever they say: the outcome is a refusal out of the
 * table, or they were valid. A failing run prints its seed.
 */
import fc from 'fast-check'
import t from 'tap'
import { Denial, REFUSALS, type DenialCode } from '../src/denial.ts'
import { verifyProof } from '../src/dpop/proof.ts'
import { contextFor, TARGET } from './dpop/context.ts'
import { createClient } from './support/client.ts'
import { AUDIENCE, createAuthority } from './support/jwks-server.ts'
import { verifierOf } from './token/verifier.ts'

const RUNS = { numRuns: 500 }

/** The code of the refusal, `admitted`, or throws what is no Denial. */
async function decide(run: () => unknown): Promise<DenialCode | 'admitted'> {
  try {
    await run()
    return 'admitted'
  } catch (error) {
    if (error instanceof Denial && Object.hasOwn(REFUSALS, error.code)) return error.code
    throw error
  }
}

/** JSON, and often with the names and values that a header or a payload has. */
const json = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.dictionary(
    fc.constantFrom('typ', 'alg', 'jwk', 'crit', 'b64', 'kty', 'crv', 'x', 'y', 'd', '__proto__'),
    fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom('dpop+jwt', 'ES256', 'EC', 'P-256')),
  ),
)

t.test(
  '#258 proofs with any header and payload, rightly signed: refused with 401, never a bug',
  async (t) => {
    const client = await createClient()
    const context = contextFor(client)
    const base = { url: TARGET, token: 'token' }
    const members = (names: readonly string[]) =>
      fc.dictionary(fc.constantFrom(...names), fc.jsonValue({ maxDepth: 3 }), {
        minKeys: 1,
        maxKeys: 2,
      })
    const seen = new Set<string>()
    const refused = async (proof: string) => {
      const outcome = await decide(() => verifyProof([proof], context))
      seen.add(outcome)
      return outcome !== 'admitted' && REFUSALS[outcome].status === 401
    }
    await fc.assert(
      fc.asyncProperty(json, json, async (header, payload) => {
        const raw = { header: JSON.stringify(header), payload: JSON.stringify(payload) }
        return refused(await client.proof({ ...base, raw }))
      }),
      RUNS,
    )
    await fc.assert(
      fc.asyncProperty(members(['typ', 'alg', 'jwk', 'crit']), async (header) =>
        refused(await client.proof({ ...base, header })),
      ),
      RUNS,
    )
    await fc.assert(
      fc.asyncProperty(members(['x', 'y', 'kty', 'crv']), async (changed) => {
        const jwk = { ...client.publicJwk, ...changed }
        return refused(await client.proof({ ...base, header: { jwk } }))
      }),
      RUNS,
    )
    await fc.assert(
      fc.asyncProperty(members(['htm', 'htu', 'iat', 'ath']), async (claims) =>
        refused(await client.proof({ ...base, claims })),
      ),
      RUNS,
    )
    t.ok(seen.size >= 5, `reached ${[...seen].join(' ')}`)
    t.equal(await decide(async () => verifyProof([await client.proof(base)], context)), 'admitted')
  },
)

t.test('#258 a valid proof with something changed: refused with 401, never a bug', async (t) => {
  const client = await createClient()
  const context = contextFor(client)
  const proof = await client.proof({ url: TARGET, token: 'token' })
  const { header } = verifyProof([proof], context)
  const edit = fc.record({
    at: fc.nat(proof.length),
    remove: fc.nat(3),
    insert: fc.oneof(
      fc.string({ maxLength: 3 }),
      fc.constantFrom('A', '.', '=', '-', '_', 'eyJ', '\t', ''),
    ),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(edit, { minLength: 1, maxLength: 3 }),
      fc.boolean(),
      async (edits, known) => {
        const changed = edits.reduce(
          (text, { at, remove, insert }) => text.slice(0, at) + insert + text.slice(at + remove),
          proof,
        )
        const outcome = await decide(() =>
          verifyProof([changed], context, known ? header : undefined),
        )
        if (outcome === 'admitted') return changed === proof
        return changed !== proof && REFUSALS[outcome].status === 401
      },
    ),
    { numRuns: 3000 },
  )
  t.equal(await decide(() => verifyProof([proof], context)), 'admitted')
})

t.test('tokens with any claims, rightly signed', async (t) => {
  const authority = await createAuthority(t)
  const verify = await verifierOf(t, authority)
  const client = await createClient()
  const cnf = { jkt: client.thumbprint }
  const name = fc.constantFrom(
    ...[
      'iss',
      'aud',
      'exp',
      'nbf',
      'iat',
      'sub',
      'scope',
      'scp',
      'cnf',
      'client_id',
      'typ',
      'nonce',
      '__proto__',
    ],
  )
  const claims = fc.dictionary(name, fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constant(cnf)))
  await fc.assert(
    fc.asyncProperty(claims, async (changed) => {
      const token = await authority.mint(changed)
      return isSound(await decide(() => verify(token)), changed, authority.issuer)
    }),
    RUNS,
  )
  await fc.assert(
    fc.asyncProperty(json, fc.jsonValue(), async (payload, kid) => {
      const token = await authority.sign(JSON.stringify(payload), { kid })
      return (await decide(() => verify(token))) !== 'admitted'
    }),
    RUNS,
  )
})

/** A token is admitted only with what was not changed, or changed into something that is valid. */
function isSound(outcome: string, changed: Record<string, unknown>, issuer: string): boolean {
  if (outcome !== 'admitted') return true
  const { iss = issuer, aud = AUDIENCE, exp, cnf } = changed
  const isFor = aud === AUDIENCE || (Array.isArray(aud) && aud.includes(AUDIENCE))
  const isBound = cnf === undefined || cnf === null || 'jkt' in Object(cnf)
  const isFresh = exp === undefined || (typeof exp === 'number' && exp > Date.now() / 1000 - 31)
  return iss === issuer && isFor && isBound && isFresh
}
