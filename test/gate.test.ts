/** The order of the decision: what wins where several things are wrong, and what is asked of whom. */
import t from 'tap'
import { Denial } from '../src/denial.ts'
import { createNonces } from '../src/dpop/nonce.ts'
import { createBoundKeys } from '../src/dpop/bound-key.ts'
import { createMemoryReplayStore } from '../src/dpop/memory-replay-store.ts'
import { createGate, type GateRequest, type Policy, type Ports } from '../src/gate.ts'
import type { AccessToken } from '../src/token/access-token.ts'
import { contextFor, TARGET, tokenOf } from './dpop/context.ts'
import { createClient, type Client, type ProofOptions } from './support/client.ts'
import { policyOf } from './support/policy.ts'

interface Case {
  readonly request?: Partial<GateRequest>
  readonly proof?: Partial<ProofOptions>
  readonly token?: Partial<AccessToken>
  /** Refuses the token. */
  readonly tokenFault?: Denial
  readonly policy?: Partial<Policy>
  /** Whether the proof was used before. */
  readonly replayed?: boolean
}

/** A gate for which all is right but what is given, and the calls to its ports in their order. */
async function createCase(client: Client, wrong: Case) {
  const { policy: proofPolicy, now } = contextFor(client)
  const proof = await client.proof({ url: TARGET, token: 'token', ...wrong.proof })
  const calls: string[] = []
  const store = createMemoryReplayStore({ maxEntries: 10 })
  const keys = createBoundKeys()
  const token = {
    ...tokenOf(client.thumbprint),
    scopes: ['read'],
    claims: { tier: 'gold' },
    ...wrong.token,
  }
  const ports: Ports = {
    clock() {
      calls.push('clock')
      return now
    },
    verifyToken() {
      calls.push('verifyToken')
      return wrong.tokenFault ? Promise.reject(wrong.tokenFault) : Promise.resolve(token)
    },
    replays: {
      claim(...pair) {
        calls.push('claim')
        return store.claim(...pair)
      },
    },
    boundKeys: {
      recall(of) {
        calls.push('recall')
        return keys.recall(of)
      },
      remember(of, header) {
        calls.push('remember')
        keys.remember(of, header)
      },
    },
  }
  const policy = policyOf(proofPolicy, {
    scopes: ['read'],
    claims: { tier: ['gold'] },
    maxTokenBytes: 100,
    ...wrong.policy,
  })
  const fields = { authorization: ['DPoP token'], proofs: [proof], query: '' }
  const request = { ...fields, method: 'GET', target: TARGET, ...wrong.request }
  const gate = createGate(policy, ports)
  if (wrong.replayed) {
    await createGate({ ...policy, claims: {} }, ports).admit(request)
    calls.length = 0
  }
  return { calls, token, now, admit: () => gate.admit(request) }
}

const two = { authorization: ['DPoP token', 'DPoP token'] }
const bearer = { authorization: ['Bearer token'], proofs: [] }
const expired = new Denial('token_expired')
const wrongMethod = { method: 'PUT' }
const ASKED = ['clock', 'verifyToken']
const VERIFIED = [...ASKED, 'clock']
const DECIDED = [...VERIFIED, 'recall']

const MFA = { contexts: ['urn:example:mfa'], maxAgeSeconds: undefined }
const NONCE_POLICY = {
  ...{ algorithms: new Set(['ES256']), maxAgeSeconds: 60, clockSkewSeconds: 30, maxBytes: 8192 },
  nonces: createNonces({ secrets: ['secret'], lifetimeSeconds: 300 }),
}

// Of each row all is wrong that could be refused at its place or later, as far as it can be at once.
// prettier-ignore
const ROWS: readonly (Case & { name: string; code: string; calls: readonly string[] })[] = [
  { name: 'credentials before the token', request: two, tokenFault: expired, proof: wrongMethod, code: 'credentials_multiple', calls: [] },
  { name: 'a missing proof before the token', request: { proofs: [] }, tokenFault: expired, code: 'proof_missing', calls: [] },
  { name: 'the token before the proof', tokenFault: expired, proof: wrongMethod, policy: { scopes: ['admin'] }, code: 'token_expired', calls: ASKED },
  { name: 'the token before there are too many proofs', tokenFault: expired, request: { proofs: ['', ''] }, code: 'token_expired', calls: ASKED },
  { name: 'the issuers of the route before the binding', token: { thumbprint: undefined }, policy: { issuers: new Set(['other']) }, request: bearer, code: 'token_issuer', calls: VERIFIED },
  { name: 'an unbound token before its scheme', token: { thumbprint: undefined }, request: bearer, policy: { scopes: ['admin'] }, code: 'token_unbound', calls: VERIFIED },
  { name: 'an unbound token before the proof', token: { thumbprint: undefined }, proof: wrongMethod, code: 'token_unbound', calls: VERIFIED },
  { name: 'the scheme before the scopes', request: bearer, policy: { scopes: ['admin'], claims: { tier: [] } }, code: 'token_bound', calls: VERIFIED },
  { name: 'the proof before the scopes', proof: wrongMethod, policy: { scopes: ['admin'], claims: { tier: [] } }, code: 'proof_method', calls: DECIDED },
  { name: 'the binding before the scopes', token: { thumbprint: 'other' }, policy: { scopes: ['admin'] }, code: 'token_key_mismatch', calls: DECIDED },
  { name: 'the scopes before the claims', policy: { scopes: ['admin'], claims: { tier: [] } }, code: 'scope_insufficient', calls: DECIDED },
  { name: 'the claims before the login', policy: { claims: { tier: [] }, authentication: MFA }, code: 'claim_refused', calls: DECIDED },
  { name: 'the login before the replay', policy: { authentication: MFA }, code: 'authentication_insufficient', calls: DECIDED },
  { name: 'the nonce before the age, and before the scopes', proof: { claims: { iat: 0 } }, policy: { proof: NONCE_POLICY, scopes: ['admin'] }, code: 'proof_nonce', calls: DECIDED },
  { name: 'the claims before the replay', replayed: true, policy: { claims: { tier: [] } }, code: 'claim_refused', calls: DECIDED },
  { name: 'the replay at the very end', replayed: true, code: 'proof_replayed', calls: [...DECIDED, 'claim'] },
]

t.test('where several things are wrong', async (t) => {
  const client = await createClient()
  for (const { name, code, calls: expected, ...wrong } of ROWS) {
    const { admit, calls } = await createCase(client, wrong)
    await t.rejects(async () => admit(), { code }, name)
    t.strictSame(calls, expected, `${name}: nothing more is asked`)
  }
})

t.test('where nothing is wrong the proof is claimed last, and its key kept', async (t) => {
  const { admit, calls, token, now } = await createCase(await createClient(), {})
  const grant = await admit()
  t.equal(grant.token, token)
  t.equal(grant.now, now)
  t.strictSame(calls, [...DECIDED, 'claim', 'remember'])
})

t.test('a request that was refused has not used up its proof', async (t) => {
  const client = await createClient()
  const store = createMemoryReplayStore({ maxEntries: 10 })
  const { policy: proof, now } = contextFor(client)
  const token = tokenOf(client.thumbprint)
  const gateWith = (scopes: readonly string[]) =>
    createGate(policyOf(proof, { scopes }), {
      verifyToken: () => Promise.resolve(token),
      replays: store,
      boundKeys: createBoundKeys(),
      clock: () => now,
    })
  const proofs = [await client.proof({ url: TARGET, token: 'token' })]
  const request = {
    authorization: ['DPoP token'],
    proofs,
    query: '',
    method: 'GET',
    target: TARGET,
  }
  await t.rejects(async () => gateWith(['admin']).admit(request), { code: 'scope_insufficient' })
  await t.resolves(async () => gateWith([]).admit(request))
  await t.rejects(async () => gateWith([]).admit(request), { code: 'proof_replayed' })
})

t.test('a bearer token is asked for no key, and uses no proof up', async (t) => {
  const client = await createClient()
  const unbound = { request: bearer, token: { thumbprint: undefined } }
  const accepting = { acceptsBearer: true }
  const { admit, calls, token, now } = await createCase(client, { ...unbound, policy: accepting })
  t.strictSame(await admit(), { token, proof: undefined, now, nonce: undefined })
  t.strictSame(calls, VERIFIED)
  const rows: readonly (readonly [code: string, wrong: Case])[] = [
    ['token_bound', { request: bearer, policy: accepting }],
    ['token_unbound', { ...unbound, request: {}, policy: accepting }],
    ['token_issuer', { ...unbound, policy: { ...accepting, issuers: new Set(['other']) } }],
    ['scope_insufficient', { ...unbound, policy: { ...accepting, scopes: ['admin'] } }],
    ['claim_refused', { ...unbound, policy: { ...accepting, claims: { tier: [] } } }],
    ['authentication_insufficient', { ...unbound, policy: { ...accepting, authentication: MFA } }],
  ]
  for (const [code, wrong] of rows) {
    const { admit, calls } = await createCase(client, wrong)
    await t.rejects(async () => admit(), { code })
    t.strictSame(calls, VERIFIED, code)
  }
})

t.test('what a slow issuer takes makes nothing younger than it is', async (t) => {
  const client = await createClient()
  for (const [expiresIn, waited, code] of [
    [1_000, 61, 'proof_expired'],
    [10, 10, 'token_expired'],
  ] as const) {
    const { policy: proof, now: start } = contextFor(client)
    let now = start
    const token = { ...tokenOf(client.thumbprint), expiresAt: start + expiresIn }
    const gate = createGate(policyOf(proof), {
      async verifyToken() {
        now += waited
        return token
      },
      replays: createMemoryReplayStore({ maxEntries: 10 }),
      boundKeys: createBoundKeys(),
      clock: () => now,
    })
    const proofs = [await client.proof({ url: TARGET, token: 'token', claims: { iat: start } })]
    const request = { authorization: ['DPoP token'], proofs, query: '' }
    await t.rejects(async () => gate.admit({ ...request, method: 'GET', target: TARGET }), { code })
  }
})
