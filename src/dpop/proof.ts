/** A proof verified: every check of RFC 9449 §4.3 in turn, and what the gate needs of it then. */
import { Denial } from '../denial.ts'
import { decodeProof, type DecodedProof, type ProofHeader } from './decoded-proof.ts'
import { PROOF_CHECKS, type ProofCheck } from './proof-checks.ts'
import type { Nonces } from './nonce.ts'
import type { ProofContext, ProofPolicy } from './proof-context.ts'

/** A proof that passed every check. */
export interface Proof {
  readonly jti: string
  /** `iat`, epoch seconds. */
  readonly issuedAt: number
  /** RFC 7638 thumbprint of the key that signed it, which a token beside it is bound to. */
  readonly thumbprint: string
  /** How long from now the proof could be accepted again, were it not remembered. */
  readonly remainingSeconds: number
  /** Empty where it has none. */
  readonly nonce: string
  /** When its nonce was made, epoch seconds; undefined without one that is accepted. */
  readonly nonceMadeAt: number | undefined
  readonly header: ProofHeader
}

/** Throws the Denial of the first check that fails. `known` is the header of an earlier proof. */
export function verifyProof(
  lines: readonly string[],
  context: ProofContext,
  known?: ProofHeader,
): Proof {
  const proof = decodeProof(lines, known)
  const failed = PROOF_CHECKS.find(({ holds }) => !holds(proof, context))
  if (failed) throw denialOf(failed, proof, context)
  const { claims, header } = proof
  const key = header.key()
  if (typeof key === 'string') throw new Error('a key that is none has passed') // Check 6.
  return {
    jti: claims.jti,
    issuedAt: claims.iat,
    thumbprint: key.thumbprint,
    remainingSeconds: remainingSeconds(claims, context),
    nonce: claims.nonce,
    nonceMadeAt: knownNonces(context.policy)?.madeAt(claims.nonce, context.now),
    header,
  }
}

function denialOf({ step, code, compare }: ProofCheck, proof: DecodedProof, context: ProofContext) {
  const { iat } = proof.claims
  return new Denial(code, {
    detail: `§4.3 (${step})`,
    comparison: compare(proof, context),
    ...(Number.isNaN(iat) ? {} : { clockDifferenceSeconds: context.now - iat }),
  })
}

/**
 * The clock skew is in it for the instances whose clock is behind. `now` counts whole seconds, so
 * without any skew a second is still needed until the proof is refused for its age. With a nonce
 * `iat` is what the clock of the client makes of it, so it cannot lengthen the time at will.
 */
function remainingSeconds(
  { iat, nonce }: DecodedProof['claims'],
  { policy, now }: ProofContext,
): number {
  const { maxAgeSeconds, clockSkewSeconds, rememberSeconds = 0, nonces } = policy
  const skew = Math.max(clockSkewSeconds, 1)
  const since = nonces ? Math.min(iat, now + clockSkewSeconds) : iat
  const byAge = since + Math.max(maxAgeSeconds + skew, rememberSeconds) - now
  const byNonce = (knownNonces(policy)?.expiryOf(nonce, now) ?? 0) + skew - now
  return Math.max(byAge, byNonce)
}

function knownNonces({ nonces, knownNonces = nonces }: ProofPolicy): Nonces | undefined {
  return knownNonces
}
