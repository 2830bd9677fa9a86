/** Time that no clock change moves, for caches and timers. Tests bring their own. */

export interface Timing {
  /** Milliseconds since some fixed moment. */
  readonly monotonic: () => number
  /** Runs `task` once, `delayMs` from now; the answer calls it off. */
  readonly schedule: (task: () => void, delayMs: number) => () => void
}

export const processTiming: Timing = {
  monotonic: () => performance.now(),
  schedule: (task, delayMs) => {
    // Unreferenced, so that work in the background never keeps the process alive.
    const timer = setTimeout(task, delayMs).unref()
    return () => {
      clearTimeout(timer)
    }
  },
}
