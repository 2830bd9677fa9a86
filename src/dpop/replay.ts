/** The replay port: a proof is claimed once (RFC 9449 §11.1), and only where that can be known. */

import { hash } from 'node:crypto'
import { Denial } from '../denial.ts'
import { andThen, type Eventual } from '../eventual.ts'
import type { Proof } from './proof.ts'
import type { ProofContext, ProofPolicy } from './proof-context.ts'

/** What of a proof a store goes by. */
export interface Claim {
  /**
   * The RFC 7638 thumbprint of the key that signed the proof. `jti` is scoped by it, so one client
   * cannot use up another's identifiers.
   */
  readonly thumbprint: string
  readonly jti: string
  /** How long the proof could still be accepted. */
  readonly ttlSeconds: number
  /** When the nonce in it was made, epoch seconds; undefined without one that is accepted. */
  readonly nonceMadeAt?: number | undefined
}

export interface Claimed {
  /** Whether it was free. */
  readonly isFirst: boolean
  /**
   * Epoch seconds: of proofs made up to then, this store may have forgotten that they were used.
   * -Infinity where it has forgotten none.
   */
  readonly rememberedSince: number
}

export interface ReplayStore {
  /**
   * Claims the pair of key and `jti` in one atomic step. Throws the Denial
   * `replay_store_unavailable`, or rejects with it, when it cannot say.
   */
  claim(claim: Claim): Eventual<Claimed>
}

/** A client whose proof was made that lately did nothing wrong, and the next one will pass. */
const NEW_SECONDS = 5

/**
 * The name a pair is stored under: of one size whatever the client sent, and telling nobody who
 * reads the store what that was. A thumbprint is base64url, so the NUL ends it and no two pairs
 * have one name.
 */
export function replayKey(thumbprint: string, jti: string): string {
  return hash('sha256', `${thumbprint}\0${jti}`, 'base64url')
}

/**
 * Marks a proof as used. Throws, or rejects with, `proof_replayed` where it was; of any number of
 * copies one passes.
 * A proof from before the store began to remember may have been used too, and is refused as well.
 *
 * Not guaranteed: a proof dated ahead of the clock, which was used just before the store forgot, may
 * seem to be from after that.
 */
export function claimProof(
  store: ReplayStore,
  proof: Proof,
  context: Pick<ProofContext, 'policy' | 'now'>,
): Eventual<void> {
  const { thumbprint, jti, remainingSeconds: ttlSeconds, nonceMadeAt } = proof
  const claimed = store.claim({ thumbprint, jti, ttlSeconds, nonceMadeAt })
  return andThen(claimed, (it) => {
    requireFirst(it, proof, context)
  })
}

function requireFirst(
  { isFirst, rememberedSince }: Claimed,
  { issuedAt, nonceMadeAt }: Proof,
  { policy, now }: Pick<ProofContext, 'policy' | 'now'>,
): void {
  if (!isFirst) throw new Denial('proof_replayed')
  const madeAt = takesNonces(policy) ? (nonceMadeAt ?? issuedAt) : issuedAt
  if (madeAt > rememberedSince) return
  const isNew = now - madeAt <= NEW_SECONDS
  const code = isNew ? 'replay_store_unavailable' : oldProofCode(policy)
  throw new Denial(code, {
    detail: 'the replay store has forgotten what was used before',
    comparison: { expected: { madeAfter: rememberedSince }, received: { madeAt } },
  })
}

function oldProofCode(policy: ProofPolicy) {
  return takesNonces(policy) ? 'proof_nonce' : 'proof_expired'
}

/**
 * Whether a client can be given a nonce. It says when the proof was made at the earliest, by the
 * clock of a gateway, whereas `iat` is what the client says.
 */
function takesNonces({ nonces, asksForNonceInOutage = false }: ProofPolicy): boolean {
  return nonces !== undefined || asksForNonceInOutage
}
