/** The decision: a request is admitted, or a Denial says why not. */
import { hash } from 'node:crypto'
import type { BoundKeys } from './dpop/bound-key.ts'
import { readCredentials, type CredentialFields, type Credentials } from './dpop/credentials.ts'
import { verifyProof, type Proof } from './dpop/proof.ts'
import type { ProofPolicy } from './dpop/proof-context.ts'
import { Denial } from './denial.ts'
import { claimProof, type ReplayStore } from './dpop/replay.ts'
import { andThen, type Eventual } from './eventual.ts'
import type { AccessToken, VerifyToken } from './token/access-token.ts'
import {
  isUnbound,
  requireBinding,
  requireCurrent,
  requireGranted,
  requireIssuer,
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
  /** Whether a token that is bound to no key gets through as a bearer token (RFC 6750). */
  readonly acceptsBearer: boolean
}

export interface Ports {
  readonly verifyToken: VerifyToken
  readonly replays: ReplayStore
  readonly boundKeys: BoundKeys
  /** Epoch seconds, whole. */
  readonly clock: () => number
}

/** What an admitted request brought. */
export interface Grant {
  /** Undefined where none was asked for. */
  readonly token: AccessToken | undefined
  /** Undefined with a bearer token. */
  readonly proof: Proof | undefined
  /** The instant of the decision, epoch seconds. */
  readonly now: number
  /** A nonce for the next proof, where that of this one will soon be too old (RFC 9449 §8.2). */
  readonly nonce: string | undefined
}

export interface Gate {
  /** Throws, or rejects with, the Denial of a request that is refused. */
  admit(request: GateRequest): Eventual<Grant>
}

export function createGate(policy: Policy, ports: Ports): Gate {
  const { verifyToken, replays, boundKeys, clock } = ports

  function decide(
    { method, target }: GateRequest,
    { scheme, token: sent, proofs }: Credentials,
    tokenHash: string,
    token: AccessToken,
  ): Eventual<Grant> {
    // Read anew now that it is verified: a slow issuer must not make a proof, or a token, younger.
    const now = clock()
    requireCurrent(token, now)
    requireIssuer(token, policy.issuers)
    const isBearer = scheme === 'bearer'
    if (isBearer && policy.acceptsBearer && isUnbound(token, sent)) {
      requireGranted(token, policy, now)
      return { token, proof: undefined, now, nonce: undefined }
    }
    const thumbprint = requireBinding(token)
    if (isBearer) throw new Denial('token_bound') // RFC 9449 §7.2

    const context = { policy: policy.proof, method, target, tokenHash, thumbprint, now }
    const proof = verifyProof(proofs, context, boundKeys.recall(token))
    requireGranted(token, policy, now)

    // Last, so that only a request that would otherwise pass uses up its proof and costs a write.
    return andThen(claimProof(replays, proof, context), () => {
      boundKeys.remember(token, proof.header)
      return { token, proof, now, nonce: policy.proof.nonces?.next(proof.nonce, now) }
    })
  }

  return {
    admit(request) {
      const credentials = readCredentials(request, policy.maxTokenBytes)
      const tokenHash = hash('sha256', credentials.token, 'base64url')
      const verified = verifyToken(credentials.token, tokenHash, clock())
      return andThen(verified, (token) => decide(request, credentials, tokenHash, token))
    },
  }
}
