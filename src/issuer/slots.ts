/** A number of things under way at once, and a queue with an end for those that have to wait. */

export interface Slots {
  /**
   * Takes a slot, when there is one within `waitMs`; the answer gives it back. Undefined where the
   * queue is full, or it takes too long.
   */
  readonly take: (waitMs: number) => Promise<(() => void) | undefined>
}

export function createSlots(count: number, queueLength: number): Slots {
  const waiting = new Set<() => void>()
  let free = count

  function give(): void {
    const [next] = waiting
    if (next) next()
    else free++
  }

  return {
    take(waitMs) {
      if (free > 0) {
        free--
        return Promise.resolve(give)
      }
      if (waiting.size >= queueLength) return Promise.resolve(undefined)
      return new Promise((resolve) => {
        const timer = setTimeout(() => {
          waiting.delete(turn)
          resolve(undefined)
        }, waitMs)
        const turn = () => {
          clearTimeout(timer)
          waiting.delete(turn)
          resolve(give)
        }
        waiting.add(turn)
      })
    },
  }
}
