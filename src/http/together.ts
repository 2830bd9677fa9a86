/**
 * Work of one kind that comes up in one turn of the event loop, done in a row at its end. What the
 * processor has at hand for one piece it then has for the next, and who waits for the results is
 * woken once: that saves more than any of the work itself could.
 */
import type { Eventual } from '../eventual.ts'

/** Does it at the end of this turn, behind all that came before. */
export type Together = (work: () => void) => void

export function createTogether(): Together {
  let waiting: (() => void)[] = []

  function doAll(): void {
    const due = waiting
    waiting = []
    let done = 0
    try {
      for (const work of due) {
        done++
        work()
      }
    } finally {
      // One that throws is a bug, but none of the others.
      for (const work of due.slice(done)) together(work)
    }
  }

  function together(work: () => void): void {
    if (waiting.push(work) === 1) setImmediate(doAll)
  }
  return together
}

/** What `begin` comes to when its turn is over; what follows on it comes after all of that turn. */
export function comeTo<T>(together: Together, begin: () => Eventual<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    together(() => {
      try {
        resolve(begin())
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)))
      }
    })
  })
}
