import { setImmediate } from 'node:timers/promises'
import type { Timing } from '../../src/issuer/timing.ts'

export interface ManualTiming extends Timing {
  /** Moves time on and runs what falls due, in order. */
  readonly advance: (milliseconds: number) => void
  /** In how many milliseconds each scheduled task is due. */
  readonly due: () => readonly number[]
}

/** Time that passes when a test says so. */
export function createTiming(): ManualTiming {
  let now = 0
  const tasks = new Map<() => void, number>()
  return {
    monotonic: () => now,
    schedule(task, delayMs) {
      const run = () => {
        task()
      }
      tasks.set(run, now + delayMs)
      return () => void tasks.delete(run)
    },
    advance(milliseconds) {
      now += milliseconds
      for (const [run, at] of [...tasks].sort(([, a], [, b]) => a - b)) {
        if (at <= now && tasks.delete(run)) run()
      }
    },
    due: () => [...tasks.values()].map((at) => at - now),
  }
}

/** Settles once the condition holds, which real I/O brings about; tap's timeout is the deadline. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setImmediate()
}
