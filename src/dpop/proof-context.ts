/** What a proof is held against: the rules of the route, and the request it came with. */
import type { Nonces } from './nonce.ts'

export interface ProofPolicy {
  /** Names of the algorithms accepted in `alg`. */
  readonly algorithms: ReadonlySet<string>
  /** Oldest `iat` that is accepted. */
  readonly maxAgeSeconds: number
  /** Furthest `iat` in the future, and how long a used proof is remembered beyond its age. */
  readonly clockSkewSeconds: number
  /**
   * How long a used proof is remembered at least, counted from `iat`: another route may accept it
   * longer. Default is what this policy accepts.
   */
  readonly rememberSeconds?: number
  /** Longest proof that is read. */
  readonly maxBytes: number
  /** Given where a proof must hold a nonce, which then says how fresh it is instead of `iat`. */
  readonly nonces?: Nonces | undefined
  /**
   * Nonces another route, or another instance, may accept. A proof that holds one is remembered for
   * as long as it does. Default is `nonces`.
   */
  readonly knownNonces?: Nonces
  /**
   * Whether a proof is asked for a nonce while the replay store cannot tell what was used, although
   * none is needed otherwise. Default is false.
   */
  readonly asksForNonceInOutage?: boolean
}

/** What the request asks of its proof. */
export interface ProofContext {
  readonly policy: ProofPolicy
  readonly method: string
  /** The target URI in canonical form. */
  readonly target: string
  /** SHA-256 of the access token in base64url; undefined where none is to come with the proof. */
  readonly tokenHash: string | undefined
  /** Thumbprint of the key the token is bound to, `cnf.jkt`; undefined where there is none. */
  readonly thumbprint: string | undefined
  /** Epoch seconds. */
  readonly now: number
}
