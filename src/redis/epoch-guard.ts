/**
 * Finds out when Redis has forgotten proofs: after FLUSHALL and after a restart without its data the
 * marker is gone, and after a restart with an old snapshot or a failover another server holds it. It
 * then begins anew with the time of this moment, and all instances go by that.
 */

import type { ChainableCommander } from 'ioredis'
import { type Epoch, readEpoch, readServerId, writeEpoch } from './epoch.ts'
import type { LinkEvent } from './health.ts'
import type { Link } from './link.ts'

export interface EpochGuardOptions {
  readonly link: Link
  /** The markers there are: one, or in a cluster one for each group of keys that stays together. */
  readonly markers: readonly string[]
  /** Whether one server holds all of it, and can be known by its name. */
  readonly isOneServer: boolean
  /** Epoch seconds. */
  readonly clock: () => number
  readonly report: (event: LinkEvent) => void
}

/** A question on its way, to be read when the reply is there. */
export type Question = (reply: unknown) => Promise<Epoch>

export interface EpochGuard {
  /** Asks for the marker behind what the pipeline holds already, so that the answer is about that. */
  ask(pipeline: ChainableCommander, marker: string): Question
  /** Whether the server of this connection is known. */
  readonly isChecked: boolean
  /** Resolves once it is. */
  checked(): Promise<void>
  /** Why claims cannot be answered at the moment, as a sentence. */
  readonly problem: string | undefined
}

// What is written is that much ahead: for the time the command takes, and clocks that differ.
const AHEAD_SECONDS = 1
// A marker further ahead than that was written by a clock that was wrong.
const MAX_AHEAD_SECONDS = 60

export function createEpochGuard(options: EpochGuardOptions): EpochGuard {
  const { link, markers, isOneServer, clock, report } = options
  let server = ''
  let newest: number | undefined
  let checkedConnections = 0
  let checking: Promise<void> | undefined

  function begin(): Epoch {
    return { since: Math.floor(clock()) + AHEAD_SECONDS, server }
  }

  function ask(pipeline: ChainableCommander, marker: string): Question {
    const offered = begin()
    const establishes = link.returnsOldValue
    if (establishes) pipeline.set(marker, writeEpoch(offered), 'NX', 'GET')
    else pipeline.get(marker)
    return async (reply) => {
      if (typeof reply === 'string') return note(usable(reply) ?? (await replace(marker)))
      return note(establishes ? offered : await establish(marker))
    }
  }

  function usable(text: string): Epoch | undefined {
    const epoch = readEpoch(text)
    return epoch && epoch.since <= clock() + MAX_AHEAD_SECONDS ? epoch : undefined
  }

  /** For a server that cannot set and tell in one command: the first of several instances wins. */
  async function establish(marker: string): Promise<Epoch> {
    await link.client.set(marker, writeEpoch(begin()), 'NX')
    return usable((await link.client.get(marker)) ?? '') ?? replace(marker)
  }

  /** To say that all was forgotten until now is always safe. */
  async function replace(marker: string): Promise<Epoch> {
    const epoch = begin()
    await link.client.set(marker, writeEpoch(epoch))
    return epoch
  }

  function note(epoch: Epoch): Epoch {
    if (newest !== undefined && epoch.since > newest) {
      const until = new Date(epoch.since * 1000).toISOString()
      const message = `${link.name} has forgotten proofs: those made until ${until} are refused`
      report({ level: 'warn', message })
    }
    newest = Math.max(newest ?? epoch.since, epoch.since)
    return epoch
  }

  async function check(): Promise<void> {
    const { connections } = link
    if (isOneServer) server = readServerId(await link.client.info('server'))
    const checks = await Promise.allSettled(markers.map(checkMarker))
    // Of a cluster a part may be out of reach, of which its claims find out by themselves.
    const failed = checks.find((it) => it.status === 'rejected')
    if (isOneServer && failed) throw failed.reason
    checkedConnections = connections
  }

  async function checkMarker(marker: string): Promise<void> {
    const pipeline = link.client.pipeline()
    const question = ask(pipeline, marker)
    const [[error, reply] = []] = (await pipeline.exec()) ?? []
    if (error) throw error
    if ((await question(reply)).server !== server) note(await replace(marker))
  }

  const isChecked = () => checkedConnections === link.connections

  return {
    ask,
    get isChecked() {
      return isChecked()
    },
    async checked() {
      while (!isChecked()) {
        checking ??= check().finally(() => {
          checking = undefined
        })
        await checking
      }
    },
    get problem() {
      if (!isChecked()) {
        return `${link.name} has not said yet since when it remembers`
      }
      // For so long no proof shows by its date that it was made after Redis forgot.
      const isNow = newest !== undefined && Math.floor(clock()) <= newest
      return isNow ? `${link.name} has forgotten proofs, and begins anew` : undefined
    },
  }
}
