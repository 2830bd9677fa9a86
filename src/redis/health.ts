/** Whether the link to Redis is up and why not, reported once for each change. Pure. */

/** A change of state, for the log. */
export interface LinkEvent {
  readonly level: 'info' | 'warn'
  readonly message: string
}

export interface Health {
  /** Why nothing may be sent, as a sentence; undefined while the link is up. */
  readonly problem: string | undefined
  /** The same as a word, for metrics. */
  readonly word: string | undefined
  up(event: LinkEvent): void
  /** `reason` is a sentence. */
  down(reason: string, word: string): void
  /** Resolves when a link that broke is up again, or something else has come in the way of that. */
  settled(): Promise<void>
  /** Down for good: no later news is taken. */
  end(reason: string): void
}

export function createHealth(initialProblem: string, report: (event: LinkEvent) => void): Health {
  let problem: string | undefined = initialProblem
  let word: string | undefined = 'disconnected'
  let ended = false
  let waiting: (() => void)[] = []

  function become(next: string | undefined, nextWord: string | undefined, event: LinkEvent): void {
    if (ended) return
    word = nextWord
    if (next !== problem) report(event)
    // The break itself is what those who wait already know.
    const broke = problem === undefined && next !== undefined
    problem = next
    if (!broke) release()
  }

  function release(): void {
    const released = waiting
    waiting = []
    for (const resolve of released) resolve()
  }

  return {
    get problem() {
      return problem
    },
    get word() {
      return word
    },
    up(event) {
      become(undefined, undefined, event)
    },
    down(reason, nextWord) {
      become(reason, nextWord, { level: 'warn', message: reason })
    },
    settled() {
      if (ended) return Promise.resolve()
      return new Promise((resolve) => waiting.push(resolve))
    },
    end(reason) {
      ended = true
      problem = reason
      release()
    },
  }
}
