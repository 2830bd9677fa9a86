/**
 * What one request costs: one SHA-256 of the token, one of the name its proof is stored under, one
 * signature, and for a client that was seen before no import of a key.
 */
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import t from 'tap'
import { createBoundKeys } from '../../src/dpop/bound-key.ts'
import { createMemoryReplayStore } from '../../src/dpop/memory-replay-store.ts'
import { createGate } from '../../src/gate.ts'
import { cacheTokens } from '../../src/token/cached.ts'
import { createJwtVerifier } from '../../src/token/jwt.ts'
import { createClient } from '../support/client.ts'
import { AUDIENCE, createAuthority } from '../support/jwks-server.ts'
import { policyOf } from '../support/policy.ts'
import { ALL, keySetOf } from '../issuer/key-set.ts'
import { contextFor, TARGET } from './context.ts'

type Call = readonly [name: string, ...args: readonly unknown[]]
type AnyFunction = (this: unknown, ...args: unknown[]) => unknown

/** Counts the calls of these functions while `run` runs. What is counted is called as ever. */
async function callsOf(run: () => unknown): Promise<readonly Call[]> {
  const calls: Call[] = []
  const undo: (() => void)[] = []
  const watch = (owner: object, name: string, label = name) => {
    const functions = owner as Record<string, AnyFunction>
    const original = functions[name] as AnyFunction
    const own = Object.hasOwn(owner, name)
    functions[name] = function (...args) {
      calls.push([label, ...args])
      return original.apply(this, args)
    }
    undo.push(() => {
      if (own) functions[name] = original
      else Reflect.deleteProperty(functions, name)
    })
  }
  for (const name of ['hash', 'createHash', 'verify', 'createPublicKey', 'createVerify']) {
    watch(crypto, name)
  }
  watch(crypto.webcrypto.subtle, 'verify', 'subtle.verify')
  watch(crypto.webcrypto.subtle, 'digest', 'subtle.digest')
  syncBuiltinESMExports()
  try {
    await run()
    return calls
  } finally {
    for (const each of undo) each()
    syncBuiltinESMExports()
  }
}

t.test('the cost of the first and of the second request of a client', async (t) => {
  const authority = await createAuthority(t)
  const keys = keySetOf(t, authority)
  await keys.start()
  const client = await createClient()
  const { policy: proof } = contextFor(client)
  const gate = createGate(policyOf(proof), {
    verifyToken: cacheTokens(
      createJwtVerifier([
        {
          name: 'main',
          issuer: authority.issuer,
          audience: [AUDIENCE],
          algorithms: ALL,
          tokenType: 'compatible',
          clockSkewSeconds: 30,
          keys,
        },
      ]),
    ).verify,
    replays: createMemoryReplayStore({ maxEntries: 10 }),
    boundKeys: createBoundKeys(),
    clock: () => Math.floor(Date.now() / 1000),
  })
  const token = await authority.mint({ cnf: { jkt: client.thumbprint } })
  const prove = async (jti: string) => ({
    authorization: [`DPoP ${token}`],
    proofs: [await client.proof({ url: TARGET, token, claims: { jti } })],
    query: '',
    method: 'GET',
    target: TARGET,
  })
  const [one, two] = [await prove('one'), await prove('two')]
  const names = (calls: readonly Call[]) => calls.map(([name]) => name).sort()

  const first = await callsOf(() => gate.admit(one))
  t.strictSame(names(first), [
    'createHash', // The thumbprint of its key.
    'createPublicKey',
    'hash',
    'hash',
    'subtle.verify', // Of the token, by jose.
    'verify',
  ])

  const second = await callsOf(() => gate.admit(two))
  t.strictSame(names(second), ['hash', 'hash', 'verify'])
  t.strictSame(
    second.filter(([name]) => name === 'hash').map(([, ...args]) => args),
    [
      ['sha256', token, 'base64url'],
      ['sha256', `${client.thumbprint}\0two`, 'base64url'],
    ],
    'of the token once, and of the name it is stored under',
  )
})
