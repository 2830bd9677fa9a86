/** A proof verified: every check of RFC 9449 §4.3 in turn, and what the gate needs of it then. */
import { Denial } from '../denial.ts'
import { decodeProof, type ProofHeader } from './decoded-proof.ts'
import { PROOF_CHECKS } from './proof-checks.ts'
import type { ProofContext } from './proof-context.ts'

/** A proof that passed every check. */
export interface Proof {
  readonly jti: string
  /** `iat`, epoch seconds. */
  readonly issuedAt: number
  /** RFC 7638 thumbprint of the key that signed it, which the token is bound to. */
  readonly thumbprint: string
  /** How long from now the proof could be accepted again, were it not remembered. */
  readonly remainingSeconds: number
  readonly header: ProofHeader
}

/** What a client sent goes into the log no longer than this, in characters. */
const MAX_DETAIL = 400

/** Throws the Denial of the first check that fails. `known` is the header of an earlier proof. */
export function verifyProof(
  lines: readonly string[],
  context: ProofContext,
  known?: ProofHeader,
): Proof {
  const proof = decodeProof(lines, known)
  for (const { step, code, holds, compare } of PROOF_CHECKS) {
    if (!holds(proof, context)) {
      const comparison = JSON.stringify(compare(proof, context))
      throw new Denial(code, { detail: `§4.3 (${step}) ${comparison.slice(0, MAX_DETAIL)}` })
    }
  }
  const { claims, header } = proof
  return {
    jti: claims.jti,
    issuedAt: claims.iat,
    thumbprint: context.thumbprint, // Check 12: the key has it too.
    remainingSeconds: remainingSeconds(claims.iat, context),
    header,
  }
}

/**
 * The clock skew is in it for the instances whose clock is behind. `now` counts whole seconds, so
 * without any skew a second is still needed until the proof is refused for its age.
 */
function remainingSeconds(iat: number, { policy, now }: ProofContext): number {
  const { maxAgeSeconds, clockSkewSeconds, rememberSeconds = 0 } = policy
  const accepted = maxAgeSeconds + Math.max(clockSkewSeconds, 1)
  return iat + Math.max(accepted, rememberSeconds) - now
}
