/** The decision: a request is admitted, or a Denial says why not. */
import { hash } from 'node:crypto'
import type { BoundKeys } from './dpop/bound-key.ts'
import { readCredentials, readProofs, type CredentialFields } from './dpop/credentials.ts'
import type { Nonces } from './dpop/nonce.ts'
import { verifyProof, type Proof } from './dpop/proof.ts'
import type { ProofPolicy } from './dpop/proof-context.ts'
import { Denial } from './denial.ts'
import type { ReplayStore } from './dpop/replay.ts'
import type { AccessToken, VerifyToken } from './token/access-token.ts'
import {
  isUnbound,
  requireBinding,
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
  admit(request: GateRequest): Promise<Grant>
}

export function createGate(policy: Policy, ports: Ports): Gate {
  const { verifyToken, replays, boundKeys, clock } = ports
  return {
    async admit(request) {
      const credentials = readCredentials(request, policy.maxTokenBytes)
      const tokenHash = hash('sha256', credentials.token, 'base64url')
      const token = await verifyToken(credentials.token, tokenHash, clock())
      // Read once that is over: a slow issuer must not make a proof, or a token, younger than it is.
      const now = clock()
      if (now >= token.expiresAt) throw new Denial('token_expired')
      requireIssuer(token, policy.issuers)
      const isBearer = credentials.scheme === 'bearer'
      if (isBearer && policy.acceptsBearer && isUnbound(token)) {
        requireGranted(token, policy, now)
        return { token, proof: undefined, now, nonce: undefined }
      }
      const thumbprint = requireBinding(token)
      if (isBearer) throw new Denial('token_bound') // RFC 9449 §7.2

      const { method, target } = request
      const context = { policy: policy.proof, method, target, tokenHash, thumbprint, now }
      const proof = verifyProof(credentials.proofs, context, boundKeys.recall(token))
      requireGranted(token, policy, now)

      // Last, so that only a request that would otherwise pass uses up its proof and costs a write.
      await claim(replays, proof)
      boundKeys.remember(token, proof.header)
      return { token, proof, now, nonce: nextNonce(proof, policy.proof.nonces, now) }
    },
  }
}

/** For a server whose clients have no access token yet: a token endpoint (RFC 9449 §5). */
export function createProofGate(policy: ProofPolicy, ports: Omit<Ports, 'verifyToken'>): Gate {
  const { replays, clock } = ports
  return {
    async admit(request) {
      if (request.authorization.length > 1) throw new Denial('credentials_multiple')
      const now = clock()
      const { method, target } = request
      const context = { policy, method, target, tokenHash: undefined, thumbprint: undefined, now }
      const proof = verifyProof(readProofs(request), context)
      await claim(replays, proof)
      return { token: undefined, proof, now, nonce: nextNonce(proof, policy.nonces, now) }
    },
  }
}

/** Atomic: of any number of copies one gets through. */
async function claim(replays: ReplayStore, proof: Proof): Promise<void> {
  const isFirst = await replays.claim(proof.thumbprint, proof.jti, proof.remainingSeconds)
  if (!isFirst) throw new Denial('proof_replayed')
}

/**
 * In the second half of its life, so that a client that goes on is never refused for its nonce.
 * `now` counts whole seconds: when it is late by almost one, half of the life must still be left.
 */
function nextNonce({ nonce }: Proof, nonces: Nonces | undefined, now: number): string | undefined {
  if (!nonces) return undefined
  const leftSeconds = (nonces.expiryOf(nonce, now) ?? now) - now - 1
  return leftSeconds < nonces.lifetimeSeconds / 2 ? nonces.current(now) : undefined
}
