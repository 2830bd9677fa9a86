/**
 * Two generations of a collection, turned once a window: what was put in the fresh one stays for at
 * least one window and at most two, with no timer, no sweep and no expiry kept per entry.
 */

export interface Generations<T> {
  /** Turns what is due, for an entry that must stay for `keepSeconds`, which it then will. */
  turn(keepSeconds: number): void
  readonly fresh: T
  readonly old: T
}

/** The monotonic clock in seconds: a jump of the wall clock revives nothing and empties nothing. */
export function monotonicSeconds(): number {
  return performance.now() / 1000
}

export function createGenerations<T>(create: () => T, monotonic: () => number): Generations<T> {
  let fresh = create()
  let old = create()
  let turnedAt = monotonic()
  // The longest stay asked for so far. It only grows, so no entry leaves before its time.
  let windowSeconds = 1

  return {
    turn(keepSeconds) {
      windowSeconds = Math.max(windowSeconds, keepSeconds)
      const windows = Math.floor((monotonic() - turnedAt) / windowSeconds)
      if (windows === 0) return
      // After two windows or more without a turn even the fresh entries are past their time.
      old = windows === 1 ? fresh : create()
      fresh = create()
      turnedAt += windows * windowSeconds
    },
    get fresh() {
      return fresh
    },
    get old() {
      return old
    },
  }
}
