/** The replay port: a proof is claimed once (RFC 9449 §11.1). */

import { hash } from 'node:crypto'
import { Denial } from '../denial.ts'
import type { Proof } from './proof.ts'

export interface ReplayStore {
  /**
   * Claims the pair of key and `jti` in one atomic step and says whether it was free.
   *
   * `thumbprint` is the RFC 7638 thumbprint of the key that signed the proof: the pair is scoped by
   * it, so one client cannot use up another's identifiers. `ttlSeconds` is how long the proof could
   * still be accepted. Throws the Denial `replay_store_unavailable` when it cannot say.
   */
  claim(thumbprint: string, jti: string, ttlSeconds: number): Promise<boolean>
}

/**
 * The name a pair is stored under: of one size whatever the client sent, and telling nobody who
 * reads the store what that was. A thumbprint is base64url, so the NUL ends it and no two pairs
 * have one name.
 */
export function replayKey(thumbprint: string, jti: string): string {
  return hash('sha256', `${thumbprint}\0${jti}`, 'base64url')
}

/** Marks a proof as used. Throws `proof_replayed` where it was; of any number of copies one passes. */
export async function claimProof(store: ReplayStore, proof: Proof): Promise<void> {
  const isFirst = await store.claim(proof.thumbprint, proof.jti, proof.remainingSeconds)
  if (!isFirst) throw new Denial('proof_replayed')
}
