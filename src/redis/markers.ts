/** The markers in Redis (epoch.ts): asked for behind the claims, and written anew where they fail. */

import type { ChainableCommander } from 'ioredis'
import { type Epoch, readEpoch, writeEpoch } from './epoch.ts'
import type { LinkEvent } from './health.ts'
import { hasForgotten } from './holder.ts'
import type { Link } from './link.ts'

export interface MarkersOptions {
  readonly link: Link
  /** Epoch seconds. */
  readonly clock: () => number
  readonly report: (event: LinkEvent) => void
}

/** A question on its way, to be read when the reply is there. */
export type Question = (reply: unknown) => Promise<Epoch>

export interface Markers {
  /** Asks for the marker behind what the pipeline holds already, so that the answer is about that. */
  ask(pipeline: ChainableCommander, marker: string): Question
  /** Asks for the marker alone, and begins anew where the server has forgotten since. */
  check(marker: string): Promise<void>
  /** Writes as a claim does, and changes nothing. */
  touch(marker: string): Promise<void>
  /** Whatever the marker says: proofs beside it are lost. It is written anew before the next answer. */
  doubt(marker: string): void
  /** What the marker said last. */
  sinceOf(marker: string): number
  /** Whether a marker was begun so lately that no proof can be known to be from after that. */
  readonly isBeginning: boolean
}

// What is written is that much ahead: for the time the command takes, and clocks that differ.
const AHEAD_SECONDS = 1
// A marker further ahead than that was written by a clock that was wrong.
const MAX_AHEAD_SECONDS = 60

export function createMarkers({ link, clock, report }: MarkersOptions): Markers {
  /** What each marker said last. */
  const begun = new Map<string, number>()
  const doubted = new Map<string, symbol>()

  function begin(): Epoch {
    return { since: Math.floor(clock()) + AHEAD_SECONDS, holder: link.holder }
  }

  function ask(pipeline: ChainableCommander, marker: string): Question {
    const offered = begin()
    const establishes = link.returnsOldValue
    if (establishes) pipeline.set(marker, writeEpoch(offered), 'NX', 'GET')
    else pipeline.get(marker)
    return async (reply) => {
      if (doubted.size > 0 && doubted.has(marker)) return replace(marker)
      if (typeof reply === 'string') return note(marker, usable(reply)) ?? replace(marker)
      return establishes ? note(marker, offered) : establish(marker)
    }
  }

  function usable(text: string): Epoch | undefined {
    const epoch = readEpoch(text)
    return epoch && epoch.since <= clock() + MAX_AHEAD_SECONDS ? epoch : undefined
  }

  /** For a server that cannot set and tell in one command: the first of several instances wins. */
  async function establish(marker: string): Promise<Epoch> {
    await touch(marker)
    return note(marker, usable((await link.client.get(marker)) ?? '')) ?? replace(marker)
  }

  async function touch(marker: string): Promise<void> {
    await link.client.set(marker, writeEpoch(begin()), 'NX')
  }

  /** To say that all was forgotten until now is always safe. */
  async function replace(marker: string): Promise<Epoch> {
    const doubt = doubted.get(marker)
    const epoch = begin()
    await link.client.set(marker, writeEpoch(epoch))
    if (doubted.get(marker) === doubt) doubted.delete(marker)
    return note(marker, epoch)
  }

  function note<T extends Epoch | undefined>(marker: string, epoch: T): T {
    if (epoch === undefined || begun.get(marker) === epoch.since) return epoch
    const { since } = epoch
    if (begun.has(marker) && since > Math.max(...begun.values())) {
      const until = new Date(since * 1000).toISOString()
      const message = `${link.name} has forgotten proofs: those made until ${until} are refused`
      report({ level: 'warn', message })
    }
    begun.set(marker, since)
    return epoch
  }

  return {
    ask,
    touch,
    async check(marker) {
      const pipeline = link.client.pipeline()
      const question = ask(pipeline, marker)
      const [[error, reply] = []] = (await pipeline.exec()) ?? []
      if (error) throw error
      const { holder } = await question(reply)
      if (hasForgotten(holder, link.holder)) await replace(marker)
    },
    doubt(marker) {
      doubted.set(marker, Symbol(marker))
    },
    sinceOf: (marker) => begun.get(marker) ?? begin().since,
    get isBeginning() {
      const now = Math.floor(clock())
      // What a wrong clock wrote is written anew, and keeps nobody waiting until then.
      return [...begun.values()].some((since) => since >= now && since <= now + MAX_AHEAD_SECONDS)
    },
  }
}
