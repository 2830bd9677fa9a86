/**
 * Spares requests the full timeout of a dependency that has stopped answering. After a few failures
 * in a row calls are refused, but for one each `restSeconds` that finds out whether it is back.
 * Pure: no I/O, no timer, the clock is injected.
 */

export interface Breaker {
  /** Whether a call may be made now. Whoever is told yes reports how it went. */
  admits(): boolean
  succeeded(): void
  failed(): void
  /** Whether calls are refused now. False once a probe is due, or nobody might ever send one. */
  readonly resting: boolean
}

export interface BreakerOptions {
  /** Failures in a row that open it. */
  readonly maxFailures: number
  /** Time between probes while it is open. */
  readonly restSeconds: number
  /** Monotonic seconds. */
  readonly monotonic: () => number
}

export function createBreaker({ maxFailures, restSeconds, monotonic }: BreakerOptions): Breaker {
  let failures = 0
  let probeAt = 0

  return {
    admits() {
      if (failures < maxFailures) return true
      if (monotonic() < probeAt) return false
      // The next probe is due whatever becomes of this one: a lost report cannot jam the breaker.
      probeAt = monotonic() + restSeconds
      return true
    },
    succeeded() {
      failures = 0
    },
    failed() {
      failures += 1
      probeAt = monotonic() + restSeconds
    },
    get resting() {
      return failures >= maxFailures && monotonic() < probeAt
    },
  }
}
