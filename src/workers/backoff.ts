/** How long to wait before a worker is replaced: longer each time, until one has lasted. Pure. */

const MS = { first: 500, longest: 30_000, lasting: 60_000 } as const

export interface Backoff {
  /** In milliseconds. `lastedMs` is how long the one that has ended served. */
  readonly next: (lastedMs: number) => number
}

export function createBackoff(): Backoff {
  let nextMs: number = MS.first
  return {
    next(lastedMs) {
      const waitMs = lastedMs >= MS.lasting ? MS.first : nextMs
      nextMs = Math.min(2 * waitMs, MS.longest)
      return waitMs
    },
  }
}
