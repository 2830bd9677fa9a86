/**
 * Work of one kind that comes up in one turn of the event loop, done in a row at its end. What the
 * processor has at hand for one piece it then has for the next, and who waits for the results is
 * woken once (figures in docs/architecture.md). Each piece waits for one turn, and all of them
 * keep the loop from anything else until they are done.
 */
import type { Eventual } from '../eventual.ts'

/** Does it at the end of this turn, behind all that came before. */
export type AtTurnEnd = (work: () => void) => void

/** Of one turn: what is left waits for the next one, so that dear work does not hold up all else. */
const MOST = 32

export function createTurnEnd(): AtTurnEnd {
  let waiting: (() => void)[] = []
  let isDue = false

  function schedule(): void {
    isDue = waiting.length > 0
    if (isDue) setImmediate(doSome)
  }

  function doSome(): void {
    const due = waiting.slice(0, MOST)
    waiting = waiting.slice(MOST)
    let done = 0
    try {
      for (const work of due) {
        done++
        work()
      }
    } finally {
      // One that throws is a bug, but none of the others.
      waiting.unshift(...due.slice(done))
      schedule()
    }
  }

  return (work) => {
    waiting.push(work)
    if (!isDue) schedule()
  }
}

/** What `begin` comes to when its turn is over; what follows on it comes after all of that turn. */
export function resultAtTurnEnd<T>(atTurnEnd: AtTurnEnd, begin: () => Eventual<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    atTurnEnd(() => {
      try {
        resolve(begin())
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)))
      }
    })
  })
}
