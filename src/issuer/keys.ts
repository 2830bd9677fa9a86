/**
 * The keys of one issuer. A key that is known is served without waiting for anything, also while
 * the issuer is down; a key that is not known may cause a fetch, but a flood of them causes one.
 */
import { Denial } from '../denial.ts'
import type { AlgorithmName } from '../jws/algorithms.ts'
import type { PublicKey } from '../jws/public-key.ts'
import type { IdentifiedKey } from './jwks.ts'
import { createKeySource, type KeySource, type KeySourceOptions } from './key-source.ts'
import { processTiming, type Timing } from './timing.ts'

export interface KeySet {
  /** Loads now and refreshes from then on. Settles after the attempt, however that ended. */
  readonly start: () => Promise<void>
  /**
   * The one key for `kid` and `algorithm`. Throws `token_signature` where there is none or more
   * than one, `issuer_unavailable` where the issuer could not be asked.
   */
  readonly find: (kid: string | undefined, algorithm: AlgorithmName) => Promise<PublicKey>
  /** Changes with the keys. 0 while there are none to verify with. */
  readonly version: () => number
  readonly readiness: () => Readiness
  readonly close: () => void
}

export type Readiness =
  { readonly ready: true } | { readonly ready: false; readonly reason: string }

const COOL_DOWN_MS = 30_000

export function createKeySet(options: KeySourceOptions): KeySet {
  const source = createKeySource(options)
  const ask = limitToCoolDown(source, options.timing ?? processTiming)
  const unavailableBecause = () => source.failure() ?? 'keys are not loaded yet'

  async function find(kid: string | undefined, algorithm: AlgorithmName): Promise<PublicKey> {
    const current = source.current()
    if (!current) throw new Denial('issuer_unavailable', { detail: unavailableBecause() })
    const known = select(current.keys, kid, algorithm)
    if (known) return known

    await ask()
    const found = select(source.current()?.keys ?? [], kid, algorithm)
    if (found) return found
    // With the issuer down nobody can tell whether the key is a new one of its own.
    const failure = source.failure()
    if (failure !== undefined) throw new Denial('issuer_unavailable', { detail: failure })
    throw new Denial('token_signature', { detail: 'the issuer has no key for kid and alg' })
  }

  return {
    start: source.refresh,
    find,
    version: () => source.current()?.version ?? 0,
    readiness: () =>
      source.current() ? { ready: true } : { ready: false, reason: unavailableBecause() },
    close: source.close,
  }
}

/** Refreshes at most once in a cool-down, which is counted from the attempt, not from its end. */
function limitToCoolDown(source: KeySource, { monotonic }: Timing): () => Promise<void> {
  let askedAt = -Infinity
  return async () => {
    const now = monotonic()
    if (now - askedAt < COOL_DOWN_MS) return source.underWay()
    askedAt = now
    return source.refresh()
  }
}

/** RFC 7515 §4.1.4. The choice must be clear, without a kid and with one that two keys share. */
function select(
  keys: readonly IdentifiedKey[],
  kid: string | undefined,
  algorithm: AlgorithmName,
): PublicKey | undefined {
  const fitting = keys
    .filter((key) => key.publicKey.algorithm === algorithm)
    .filter((key) => kid === undefined || key.kid === kid)
    .map((key) => key.publicKey)
  // A key that is published twice is still one key.
  if (new Set(fitting.map(({ thumbprint }) => thumbprint)).size > 1) {
    throw new Denial('token_signature', { detail: 'more than one key of the issuer fits' })
  }
  return fitting[0]
}
