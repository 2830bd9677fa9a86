/**
 * The replay store that several gateways share. A claim is one `SET` that only one of them can win,
 * and is answered or refused within `timeoutMs`, whatever state Redis is in.
 *
 * A Redis that has lost what it was told is found out (epoch-guard.ts), and the answers say so.
 *
 * Not guaranteed: a Redis Cluster that loses its last writes in a failover keeps the marker that
 * would tell. The proofs in those writes can be replayed until they expire.
 */

import { randomBytes } from 'node:crypto'
import { Denial } from '../denial.ts'
import { monotonicSeconds } from '../dpop/generations.ts'
import { type Claimed, type ReplayStore, replayKey } from '../dpop/replay.ts'
import { within } from '../deadline.ts'
import { createClaimBatches, type KeyedClaim } from './claim-batches.ts'
import { createEpochGuard } from './epoch-guard.ts'
import { faultWord, isReply } from './fault.ts'
import type { LinkEvent } from './health.ts'
import { createKeys } from './keys.ts'
import type { Link } from './link.ts'
import { createMarkers } from './markers.ts'
import { createLink } from './open-link.ts'
import { createPatience, type Patience } from './patience.ts'
import type { RedisServers } from './servers.ts'
import { createWriteWatch, type WriteWatch } from './write-watch.ts'

export interface RedisReplayStoreOptions extends RedisServers {
  /** Put before every key. Default is `dpop:`. */
  readonly keyPrefix?: string
  /** Most time a claim may take, its retry included. Default is 150 ms. */
  readonly timeoutMs?: number
  /** Whether a Redis that may evict proofs before they expire is accepted. Default is false. */
  readonly unsafeEviction?: boolean
  /** Epoch seconds. Default is the clock of the machine. */
  readonly clock?: () => number
  /** Is told of every change of state. */
  readonly report?: (event: LinkEvent) => void
}

/** Whether claims can be answered, and in a sentence why not. */
export type RedisStatus =
  { readonly ready: true } | { readonly ready: false; readonly reason: string }

export interface RedisReplayStore extends ReplayStore {
  status(): RedisStatus
  /** Why the link is down, as a word for metrics; undefined while it is up. */
  problemWord(): string | undefined
  /** Ends the connection at once; claims in flight are refused. Never waits for Redis. */
  close(): void
}

interface Attempt extends KeyedClaim {
  /** On the monotonic clock, in seconds. */
  readonly deadline: number
}

// Bounds what a stalled Redis can pile up here before the breaker opens.
const MAX_IN_FLIGHT = 5000

export function createRedisReplayStore({
  keyPrefix = 'dpop:',
  timeoutMs = 150,
  unsafeEviction = false,
  clock = () => Date.now() / 1000,
  report = () => undefined,
  ...servers
}: RedisReplayStoreOptions): RedisReplayStore {
  const reportChange = (event: LinkEvent) => {
    report(event)
    look()
  }
  const link = createLink({
    ...{ servers, timeoutMs, unsafeEviction },
    ...{ report: reportChange, onLook: look },
  })
  const patience = createPatience(link.name, timeoutMs, report)
  const isCluster = servers.cluster !== undefined
  const { markers: names, ...keys } = createKeys(keyPrefix, isCluster)
  const markers = createMarkers({ link, clock, report })
  const guard = createEpochGuard({ link, markers, names, isOneServer: !isCluster })
  const writes = createWriteWatch({ link, guard, markers, names, report })
  const batches = createClaimBatches(link, markers, guard)
  const newAttempt = createAttempts()
  const decide = createDecision({ link, patience, writes, timeoutMs, send })

  // What has come into doubt is looked at before anybody needs it.
  function look(): void {
    setImmediate(() => {
      if (link.problem === undefined) guard.checked().catch(() => undefined)
    })
  }

  function send(claim: KeyedClaim): Promise<Claimed> {
    if (guard.isChecked) return batches.send(claim)
    return guard.checked().then(() => batches.send(claim))
  }

  return {
    claim: ({ thumbprint, jti, ttlSeconds }) =>
      decide(() => ({
        ...keys.of(replayKey(thumbprint, jti)),
        attempt: newAttempt(),
        ttlMs: Math.max(1000, Math.ceil(ttlSeconds * 1000)),
        deadline: monotonicSeconds() + timeoutMs / 1000,
      })),
    status() {
      const reason = link.problem ?? writes.problem ?? guard.problem ?? patience.problem
      return reason === undefined ? { ready: true } : { ready: false, reason }
    },
    problemWord: () => link.problemWord,
    close() {
      writes.close()
      link.close()
    },
  }
}

interface DecisionOptions {
  readonly link: Link
  readonly patience: Patience
  readonly writes: WriteWatch
  readonly timeoutMs: number
  readonly send: (claim: KeyedClaim) => Promise<Claimed>
}

/** Answers or refuses in time. Nothing is made of a claim that is refused before it is sent. */
function createDecision({ link, patience, writes, timeoutMs, send }: DecisionOptions) {
  let inFlight = 0
  return async (prepare: () => Attempt): Promise<Claimed> => {
    if (link.problem !== undefined) throw unavailable('not ready', link.problem)
    if (inFlight >= MAX_IN_FLIGHT) throw unavailable('too many in flight')
    if (!patience.admits()) throw unavailable('breaker open')
    const attempt = prepare()
    inFlight += 1
    let claimed: Claimed | 'late'
    try {
      claimed = await within(timeoutMs, take(link, send, attempt))
    } catch (error) {
      if (isReply(error)) patience.answered()
      writes.failed(attempt.marker, error)
      throw unavailable(faultWord(error), error)
    } finally {
      inFlight -= 1
    }
    if (claimed === 'late') {
      patience.timedOut()
      throw unavailable('timeout')
    }
    patience.answered()
    writes.wrote(attempt.marker)
    return claimed
  }
}

/** Claims, and once more where the connection broke under the first attempt. */
async function take(
  link: Link,
  send: (claim: KeyedClaim) => Promise<Claimed>,
  claim: Attempt,
): Promise<Claimed> {
  try {
    return await send(claim)
  } catch (error) {
    // The broken attempt may have been carried out. Only a server that returns the old value tells
    // its trace from a replay; on others the client has to sign a new proof.
    if (isReply(error) || !link.returnsOldValue) throw error
    await link.settled()
    // A request that has been refused meanwhile must not use up its proof.
    if (link.problem !== undefined || monotonicSeconds() >= claim.deadline) throw error
    return send(claim)
  }
}

/** Names each attempt, so that what is found in Redis can be told to be one's own. */
function createAttempts(): () => string {
  const instance = randomBytes(9).toString('base64url')
  let count = 0
  return () => `${instance}.${(count += 1).toString(36)}`
}

function unavailable(detail: string, cause?: unknown): Denial {
  return new Denial('replay_store_unavailable', { detail, cause })
}
