/** The decision: a request is admitted, or a Denial says why not. */
import { hash } from 'node:crypto'
import type { BoundKeys } from './dpop/bound-key.ts'
import { readCredentials, type CredentialFields } from './dpop/credentials.ts'
import { verifyProof, type Proof } from './dpop/proof.ts'
import type { ProofPolicy } from './dpop/proof-context.ts'
import { Denial } from './denial.ts'
import type { ReplayStore } from './dpop/replay.ts'
import type { AccessToken, VerifyToken } from './token/access-token.ts'
import {
  requireBinding,
  requireClaims,
  requireIssuer,
  requireScopes,
  type Requirements,
} from './token/requirements.ts'

export interface GateRequest extends CredentialFields {
  readonly method: string
  /** The target URI as the client calls it, in canonical form, without query and fragment. */
  readonly target: string
}

export interface Policy extends Requirements {
  readonly proof: ProofPolicy
  /** Longest access token that is read. */
  readonly maxTokenBytes: number
}

export interface Ports {
  readonly verifyToken: VerifyToken
  readonly replays: ReplayStore
  readonly boundKeys: BoundKeys
  /** Epoch seconds, whole. */
  readonly clock: () => number
}

/** What an admitted request proved. */
export interface Grant {
  readonly token: AccessToken
  readonly proof: Proof
  /** The instant of the decision, epoch seconds. */
  readonly now: number
}

export interface Gate {
  admit(request: GateRequest): Promise<Grant>
}

export function createGate(policy: Policy, ports: Ports): Gate {
  const { verifyToken, replays, boundKeys, clock } = ports
  return {
    async admit(request) {
      const now = clock()
      const credentials = readCredentials(request, policy.maxTokenBytes)
      const tokenHash = hash('sha256', credentials.token, 'base64url')
      const token = await verifyToken(credentials.token, tokenHash, now)
      requireIssuer(token, policy.issuers)
      const thumbprint = requireBinding(token)
      if (credentials.scheme === 'bearer') throw new Denial('token_bound') // RFC 9449 §7.2

      const { method, target } = request
      const context = { policy: policy.proof, method, target, tokenHash, thumbprint, now }
      const proof = verifyProof(credentials.proofs, context, boundKeys.recall(token))
      requireScopes(token, policy.scopes)
      requireClaims(token, policy.claims)

      // Last, so that only a request that would otherwise pass uses up its proof and costs a write.
      if (!(await replays.claim(proof.thumbprint, proof.jti, proof.remainingSeconds))) {
        throw new Denial('proof_replayed')
      }
      boundKeys.remember(token, proof.header)
      return { token, proof, now }
    },
  }
}
