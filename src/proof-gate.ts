/** The decision about requests that bring no access token, because they ask for one (RFC 9449 §5). */
import { Denial } from './denial.ts'
import { readProofs } from './dpop/credentials.ts'
import { verifyProof } from './dpop/proof.ts'
import type { ProofPolicy } from './dpop/proof-context.ts'
import { claimProof } from './dpop/replay.ts'
import { andThen } from './eventual.ts'
import type { Gate, Ports } from './gate.ts'

export function createProofGate(
  policy: ProofPolicy,
  ports: Pick<Ports, 'replays' | 'clock'>,
): Gate {
  const { replays, clock } = ports
  return {
    admit(request) {
      if (request.authorization.length > 1) throw new Denial('credentials_multiple')
      const now = clock()
      const { method, target } = request
      const context = { policy, method, target, tokenHash: undefined, thumbprint: undefined, now }
      const proof = verifyProof(readProofs(request), context)
      return andThen(claimProof(replays, proof, context), () => ({
        token: undefined,
        proof,
        now,
        nonce: policy.nonces?.next(proof.nonce, now),
      }))
    },
  }
}
