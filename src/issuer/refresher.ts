/**
 * Repeats a load in the background: after a success when the answer asks for it, after a failure
 * in 1, 2, 4 … 30 seconds. There is never more than one load under way.
 */
import { reason } from './request.ts'
import type { Timing } from './timing.ts'

export interface Refresher {
  /** Loads, or joins the load under way. Never rejects. */
  readonly refresh: () => Promise<void>
  /** The load under way, if there is one. */
  readonly underWay: () => Promise<void> | undefined
  /** Why the latest load failed; undefined where it succeeded or none has ended yet. */
  readonly failure: () => string | undefined
  readonly close: () => void
}

export interface RefresherOptions {
  /** Answers in how many seconds it wants to be called again. */
  readonly load: () => Promise<number>
  readonly onFailure: (cause: unknown, retrySeconds: number) => void
  readonly timing: Timing
}

const LONGEST_RETRY_SECONDS = 30
/** Up to a tenth early, so that instances started together do not stay in step. */
const JITTER = 0.1

export function createRefresher({ load, onFailure, timing }: RefresherOptions): Refresher {
  let underWay: Promise<void> | undefined
  let failure: string | undefined
  let failures = 0
  let closed = false
  let cancelTimer = () => {}

  async function attempt(): Promise<void> {
    let nextSeconds: number
    try {
      nextSeconds = await load()
      failures = 0
      failure = undefined
    } catch (cause) {
      nextSeconds = Math.min(2 ** failures++, LONGEST_RETRY_SECONDS)
      failure = reason(cause)
      if (!closed) onFailure(cause, nextSeconds)
    }
    underWay = undefined
    if (closed) return
    cancelTimer()
    const delayMs = nextSeconds * 1_000 * (1 - Math.random() * JITTER)
    cancelTimer = timing.schedule(() => void refresh(), delayMs)
  }

  function refresh(): Promise<void> {
    return (underWay ??= attempt())
  }

  return {
    refresh,
    underWay: () => underWay,
    failure: () => failure,
    close() {
      closed = true
      cancelTimer()
    },
  }
}
