/**
 * Sends the claims that come up in a row in one pipeline, and behind them the question since
 * when Redis remembers. As both go over one connection in this order, what Redis forgets is seen by
 * the very claims it concerns, at no round trip of its own.
 */

import type { Claimed } from '../dpop/replay.ts'
import type { EpochGuard } from './epoch-guard.ts'
import type { Link } from './link.ts'
import type { Markers } from './markers.ts'

export interface KeyedClaim {
  readonly key: string
  /** The marker on the same server as the key. */
  readonly marker: string
  readonly attempt: string
  readonly ttlMs: number
}

interface Waiting {
  readonly claim: KeyedClaim
  readonly resolve: (claimed: Claimed) => void
  readonly reject: (error: unknown) => void
}

type Reply = readonly [error: Error | null, reply?: unknown]

const NO_REPLY: Reply = [new Error('no reply')]

export function createClaimBatches(link: Link, markers: Markers, guard: EpochGuard) {
  /** By marker. */
  let batches = new Map<string, Waiting[]>()

  function flush(): void {
    const due = batches
    batches = new Map()
    for (const [marker, batch] of due) {
      send(marker, batch).catch((error: unknown) => {
        for (const { reject } of batch) reject(error)
      })
    }
  }

  async function send(marker: string, batch: readonly Waiting[]): Promise<void> {
    const returnsOldValue = link.returnsOldValue
    const pipeline = link.client.pipeline()
    for (const { claim } of batch) {
      const { key, attempt, ttlMs } = claim
      if (returnsOldValue) pipeline.set(key, attempt, 'PX', ttlMs, 'NX', 'GET')
      else pipeline.set(key, attempt, 'PX', ttlMs, 'NX')
    }
    const question = markers.ask(pipeline, marker)
    const executed = pipeline.exec()
    const vouched = link.vouch()
    const replies = (await executed) ?? []
    const reply = read(replies[batch.length])
    await vouched()
    let { since } = await question(reply)
    if (!guard.isChecked) {
      await guard.checked()
      since = markers.sinceOf(marker)
    }
    batch.forEach(({ claim, resolve, reject }, at) => {
      const [error, holder] = replies[at] ?? NO_REPLY
      if (error) {
        reject(error)
        return
      }
      const isOwn = returnsOldValue ? holder === null || holder === claim.attempt : holder === 'OK'
      resolve({ isFirst: isOwn, rememberedSince: since })
    })
  }

  return {
    send(claim: KeyedClaim): Promise<Claimed> {
      return new Promise((resolve, reject) => {
        // What is claimed before the next tick goes out together.
        if (batches.size === 0) process.nextTick(flush)
        const waiting = { claim, resolve, reject }
        const batch = batches.get(claim.marker)
        if (batch) batch.push(waiting)
        else batches.set(claim.marker, [waiting])
      })
    },
  }
}

function read([error, reply]: Reply = NO_REPLY): unknown {
  if (error) throw error
  return reply
}
