/** A breaker for a Redis that is connected but does not answer in time, which says so in the log. */

import { createBreaker } from '../breaker.ts'
import { monotonicSeconds } from '../dpop/generations.ts'
import type { LinkEvent } from './health.ts'

const MAX_TIMEOUTS = 3

export interface Patience {
  admits(): boolean
  answered(): void
  timedOut(): void
  /** Why requests are refused at the moment, as a sentence. */
  readonly problem: string | undefined
}

export function createPatience(
  name: string,
  timeoutMs: number,
  report: (event: LinkEvent) => void,
): Patience {
  const breaker = createBreaker({
    maxFailures: MAX_TIMEOUTS,
    // Longer than a probe takes, so that there is never more than one.
    restSeconds: timeoutMs / 1000 + 0.1,
    monotonic: monotonicSeconds,
  })
  const late = `${name} does not answer within ${timeoutMs} ms`
  let lost = false

  return {
    admits: () => breaker.admits(),
    answered() {
      breaker.succeeded()
      if (lost) report({ level: 'info', message: `${name} answers in time again` })
      lost = false
    },
    timedOut() {
      breaker.failed()
      if (!breaker.resting) return
      if (!lost) report({ level: 'warn', message: late })
      lost = true
    },
    get problem() {
      return breaker.resting ? late : undefined
    },
  }
}
