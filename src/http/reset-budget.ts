/** How many streams a client may give up: as many at once as it likes to a limit, which fills up. */

export interface ResetBudget {
  /** Whether one more is within it. `now` is on the monotonic clock, in milliseconds. */
  readonly take: (now: number) => boolean
}

/** A used-up budget is full again after `refillMs`. Default is 10 seconds. */
export function createResetBudget(size: number, refillMs = 10_000): ResetBudget {
  let left = size
  let countedAt = 0
  return {
    take(now) {
      left = Math.min(size, left + ((now - countedAt) / refillMs) * size) - 1
      countedAt = now
      return left >= 0
    },
  }
}
