/**
 * Lines on their way to a stream that may be read slowly or not at all. They are written in blocks,
 * nobody waits for them, and beyond a bound they are dropped and counted.
 */
import type { Writable } from 'node:stream'

export interface Backlog {
  /** One line or several, whole. */
  readonly write: (lines: string) => void
  /** Calls back when nothing waits any more, which is never where nobody reads. */
  readonly flush: (done: () => void) => void
  /** What the stream takes at once, for a process that ends. The rest is gone. */
  readonly abandon: () => void
  /** Lines dropped so far. */
  readonly lost: () => number
}

export interface BacklogOptions {
  /** Most characters that wait; a line beyond them is dropped. Default is 8 Mi. */
  readonly maxLength?: number
  /** Told once there is room again how many lines were dropped, after each time that was so. */
  readonly onRecovery: (lines: number) => void
}

const MAX_LENGTH = 8 * 1024 * 1024
const BLOCK_LENGTH = 64 * 1024
/** How long a line waits for others to be written with. */
const DELAY_MS = 100

export function createBacklog(sink: Writable, options: BacklogOptions): Backlog {
  const { maxLength = MAX_LENGTH, onRecovery } = options
  let waiting = ''
  let underWay = ''
  let lost = 0
  let told = 0
  let timer: NodeJS.Timeout | undefined
  let waiters: (() => void)[] = []

  function send(): void {
    clearTimeout(timer)
    timer = undefined
    if (underWay !== '' || waiting === '') return
    underWay = waiting
    waiting = ''
    sink.write(underWay, onWritten)
  }

  function onWritten(error?: Error | null): void {
    if (error) lost += linesOf(underWay)
    underWay = ''
    // Half of the room at least, or the next line might be the next one lost.
    if (!error && lost > told && waiting.length <= maxLength / 2) {
      const lines = lost - told
      told = lost
      onRecovery(lines)
    }
    if (waiting.length >= BLOCK_LENGTH || waiters.length > 0) send()
    else schedule()
    if (underWay !== '') return
    const done = waiters
    waiters = []
    for (const resolve of done) resolve()
  }

  function schedule(): void {
    if (waiting !== '') timer ??= setTimeout(send, DELAY_MS).unref()
  }

  return {
    write(lines) {
      if (waiting.length + underWay.length + lines.length > maxLength) {
        lost += linesOf(lines)
        return
      }
      waiting += lines
      if (waiting.length >= BLOCK_LENGTH) send()
      else schedule()
    },
    flush(done) {
      send()
      if (underWay === '') done()
      else waiters.push(done)
    },
    abandon: send,
    lost: () => lost,
  }
}

function linesOf(block: string): number {
  return block.split('\n').length - 1
}
