/**
 * RFC 9449 §4.3: the checks a proof must pass, as one list that carries the numbers of the RFC.
 * Pure: no clock, no I/O. The order is by cost, so that a key is imported only for a proof that is
 * right in all else and a signature is verified last.
 */
import type { Comparison, DenialCode } from '../denial.ts'
import { verifiesSignature } from '../jws/signature.ts'
import type { PublicKey } from '../jws/public-key.ts'
import type { DecodedProof, ProofHeader } from './decoded-proof.ts'
import { withoutSecrets, word } from './loggable.ts'
import type { ProofContext } from './proof-context.ts'
import { canonicalTarget } from './target.ts'

export interface ProofCheck {
  /** The number of the check in RFC 9449 §4.3. */
  readonly step: number
  /** How the refusal of a proof that fails it is called. */
  readonly code: DenialCode
  readonly holds: (proof: DecodedProof, context: ProofContext) => boolean
  /**
   * What was asked for and what was sent, of a proof that fails it. Holds no token, no hash of one and
   * no key.
   */
  readonly compare: (proof: DecodedProof, context: ProofContext) => Comparison
}

export const PROOF_CHECKS: readonly ProofCheck[] = [
  {
    step: 1, // not more than one DPoP header field
    code: 'proof_multiple',
    holds: ({ lines }) => lines === 1,
    compare: ({ lines }) => ({ expected: 1, received: lines }),
  },
  {
    step: 2, // a single and well-formed JWT
    code: 'proof_too_large',
    holds: ({ length }, { policy }) => length <= policy.maxBytes,
    compare: ({ length }, { policy }) => ({ expected: policy.maxBytes, received: length }),
  },
  {
    step: 2,
    code: 'proof_malformed',
    holds: ({ wellFormed }) => wellFormed,
    compare: ({ wellFormed }) => ({
      expected: 'three parts of base64url; header and payload JSON objects, no member twice',
      received: wellFormed ? 'that' : 'something else',
    }),
  },
  {
    step: 3, // all required claims; ath is one of them beside an access token
    code: 'proof_claim_missing',
    holds: (proof, context) => missingClaims(proof, context).length === 0,
    compare: (proof, context) => ({
      expected: 'all required claims, each of its type',
      received: { missing: missingClaims(proof, context) },
    }),
  },
  {
    step: 4, // typ; RFC 7515 §4.1.9 compares it as a media type
    code: 'proof_type',
    holds: ({ header }) => /^(application\/)?dpop\+jwt$/i.test(header.typ),
    compare: ({ header }) => ({ expected: 'dpop+jwt', received: word(header.typ) }),
  },
  {
    step: 5, // alg is asymmetric, supported and acceptable here
    code: 'proof_algorithm',
    holds: ({ header }, { policy }) => policy.algorithms.has(header.alg),
    compare: ({ header }, { policy }) => ({
      expected: [...policy.algorithms],
      received: word(header.alg),
    }),
  },
  {
    step: 7, // jwk has no private key
    code: 'proof_key_private',
    holds: ({ header }) => !header.leaksKey,
    compare: ({ header }) => ({
      expected: 'public',
      received: header.leaksKey ? 'private' : 'public',
    }),
  },
  {
    step: 8, // htm; RFC 9110 §9.1: methods are case-sensitive
    code: 'proof_method',
    holds: ({ claims }, { method }) => claims.htm === method,
    compare: ({ claims }, { method }) => ({ expected: method, received: word(claims.htm) }),
  },
  {
    step: 9, // htu, without query and fragment
    code: 'proof_target',
    holds: ({ claims }, { target }) =>
      claims.htu === target || canonicalTarget(claims.htu) === target,
    compare: ({ claims }, { target }) => ({
      expected: target,
      received: withoutSecrets(claims.htu),
    }),
  },
  {
    step: 10, // nonce, where the server has provided one
    code: 'proof_nonce',
    holds: ({ claims }, { policy, now }) =>
      policy.nonces === undefined || policy.nonces.expiryOf(claims.nonce, now) !== undefined,
    compare: ({ claims }) => ({
      expected: 'the nonce in DPoP-Nonce',
      received: claims.nonce === '' ? 'none' : 'one that is not accepted, or no longer',
    }),
  },
  {
    step: 11, // iat within an acceptable window, or a nonce that is
    code: 'proof_expired',
    holds: ({ claims }, { policy, now }) =>
      (policy.nonces !== undefined || now - claims.iat <= policy.maxAgeSeconds) &&
      (claims.exp === undefined || now < claims.exp),
    compare: ({ claims }, { policy, now }) => ({
      expected: {
        ...(policy.nonces ? {} : { iatAtLeast: now - policy.maxAgeSeconds }),
        expAfter: now,
      },
      received: { iat: claims.iat, exp: claims.exp },
    }),
  },
  {
    step: 11,
    code: 'proof_premature',
    holds: ({ claims }, { policy, now }) =>
      (policy.nonces !== undefined || claims.iat - now <= policy.clockSkewSeconds) &&
      (claims.nbf === undefined || claims.nbf - now <= policy.clockSkewSeconds),
    compare: ({ claims }, { policy, now }) => ({
      expected: { atMost: now + policy.clockSkewSeconds },
      received: { iat: claims.iat, nbf: claims.nbf },
    }),
  },
  {
    step: 12, // ath is the hash of the token; compared as text, so it has one spelling
    code: 'proof_token_hash',
    holds: ({ claims }, { tokenHash }) => claims.ath === tokenHash,
    compare: ({ claims }, { tokenHash }) => ({
      expected: tokenHash === undefined ? 'none' : 'base64url(SHA-256(access token))',
      received: claims.ath === tokenHash ? 'that' : 'another value',
    }),
  },
  {
    step: 6, // with the public key in jwk, which has to be one
    code: 'proof_key_weak',
    holds: ({ header }) => header.key() !== 'weak',
    compare: ({ header }) => ({ expected: 'a strong key', received: describeKey(header) }),
  },
  {
    step: 6,
    code: 'proof_key',
    holds: ({ header }) => keyOf(header) !== undefined,
    compare: ({ header }) => ({
      expected: `a key for ${word(header.alg)}`,
      received: describeKey(header),
    }),
  },
  {
    step: 12, // the token is bound to the key of the proof
    code: 'token_key_mismatch',
    holds: ({ header }, { thumbprint }) =>
      thumbprint === undefined || keyOf(header)?.thumbprint === thumbprint,
    compare: ({ header }, { thumbprint }) => ({
      expected: thumbprint,
      received: keyOf(header)?.thumbprint,
    }),
  },
  {
    step: 6, // the signature
    code: 'proof_signature',
    holds: (proof) => hasValidSignature(proof),
    // To verify again would double what a forgery costs.
    compare: () => ({ expected: 'verifies with jwk', received: 'does not verify' }),
  },
]

/** RFC 9449 §4.2: `ath` is one of them beside an access token. */
function missingClaims({ claims }: DecodedProof, { tokenHash }: ProofContext): readonly string[] {
  const lacksHash = tokenHash !== undefined && claims.ath === undefined
  return lacksHash ? [...claims.faulty, 'ath'] : claims.faulty
}

function hasValidSignature({ segments, header }: DecodedProof): boolean {
  const key = keyOf(header)
  return key !== undefined && verifiesSignature(segments, key)
}

/** What `jwk` was found to be. */
function describeKey(header: ProofHeader): string {
  const key = header.key()
  return typeof key === 'string' ? key : 'a key'
}

function keyOf(header: ProofHeader): PublicKey | undefined {
  const key = header.key()
  return typeof key === 'object' ? key : undefined
}
