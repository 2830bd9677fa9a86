import type { ProofPolicy } from '../../src/dpop/proof-context.ts'
import type { Policy } from '../../src/gate.ts'

/** Of a gate that takes the bound tokens of the issuer `main`, but for what is given. */
export function policyOf(proof: ProofPolicy, changes: Partial<Policy> = {}): Policy {
  return {
    issuers: new Set(['main']),
    scopes: [],
    claims: {},
    authentication: { contexts: [], maxAgeSeconds: undefined },
    acceptsBearer: false,
    maxTokenBytes: 8192,
    proof,
    ...changes,
  }
}
