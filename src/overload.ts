/**
 * Whether this process has more to do than it gets done, by how late its timers are: then it is better
 * to refuse some at once than to answer all of them too late.
 */

export interface Overload {
  readonly isOverloaded: () => boolean
  readonly start: () => void
  readonly stop: () => void
}

export interface OverloadOptions {
  /** How late a timer may be. Infinity never finds an overload. */
  readonly maxDelayMs: number
  readonly onChange: (isOverloaded: boolean) => void
}

const INTERVAL_MS = 100
/** One long pause, of the garbage collector or at the start, is no overload: it is over already. */
const IN_A_ROW = 3

export function createOverload({ maxDelayMs, onChange }: OverloadOptions): Overload {
  const judge = createJudge(maxDelayMs)
  let isOverloaded = false
  let timer: NodeJS.Timeout | undefined
  const measure = () => {
    const dueAt = performance.now() + INTERVAL_MS
    timer = setTimeout(() => {
      const before = isOverloaded
      isOverloaded = judge(performance.now() - dueAt)
      measure()
      if (isOverloaded !== before) onChange(isOverloaded)
    }, INTERVAL_MS).unref()
  }
  return {
    isOverloaded: () => isOverloaded,
    start() {
      if (Number.isFinite(maxDelayMs)) measure()
    },
    stop() {
      clearTimeout(timer)
    },
  }
}

/**
 * Takes how late each timer was and says whether that is an overload: as soon as three in a row were
 * later than allowed, and until three in a row were less than half of that late.
 */
export function createJudge(maxDelayMs: number): (delayMs: number) => boolean {
  let isOverloaded = false
  let against = 0
  return (delayMs) => {
    const isOtherwise = isOverloaded ? delayMs < maxDelayMs / 2 : delayMs > maxDelayMs
    against = isOtherwise ? against + 1 : 0
    if (against === IN_A_ROW) {
      isOverloaded = !isOverloaded
      against = 0
    }
    return isOverloaded
  }
}
