/**
 * An open loop: requests are due at a fixed rate whatever becomes of those before. Their latency
 * counts from when they were due, so that a server which stalls is not spared the requests that
 * queue up meanwhile.
 */
import { openConnection, type Connection } from './connection.ts'
import { requireStatus, type Load, type LoadResult } from './result.ts'

interface Slot {
  connection?: Connection
  /** Of the request under way. */
  at: number
  idleSince: number
}

interface Loop {
  readonly load: Load
  readonly intervalMs: number
  readonly latencies: Float64Array
  readonly lateness: Float64Array
  readonly idle: Slot[]
  startedAt: number
  next: number
  answered: number
  failure?: Error
}

export async function holdRate(load: Load, perSecond: number): Promise<LoadResult> {
  const count = load.requests.length
  const loop: Loop = {
    load,
    intervalMs: 1000 / perSecond,
    latencies: new Float64Array(count),
    lateness: new Float64Array(count),
    ...{ idle: [], startedAt: 0, next: 0, answered: 0 },
  }
  const slots = await Promise.all(Array.from({ length: load.connections }, () => openSlot(loop)))
  loop.startedAt = performance.now() + loop.intervalMs
  // Spins instead of sleeping: a timer would be late by up to a millisecond.
  while (!loop.failure && loop.answered < count) {
    sendDue(loop)
    await nextTurn()
  }
  const seconds = (performance.now() - loop.startedAt) / 1000
  for (const { connection } of slots) connection?.close()
  if (loop.failure) throw loop.failure
  return { seconds, latencies: loop.latencies.sort(), lateness: loop.lateness.sort() }
}

async function openSlot(loop: Loop): Promise<Slot> {
  const slot: Slot = { at: -1, idleSince: 0 }
  slot.connection = await openConnection(loop.load.port, {
    onFault(error) {
      loop.failure ??= error
    },
    onAnswer(answer) {
      const now = performance.now()
      loop.latencies[slot.at] = now - dueAt(loop, slot.at)
      loop.answered += 1
      slot.idleSince = now
      loop.idle.push(slot)
      requireStatus(answer, loop.load.expected)
      if (answer.closes) throw new Error('an open loop needs connections that stay open')
    },
  })
  loop.idle.push(slot)
  return slot
}

/** What is due and finds no connection idle stays due. */
function sendDue(loop: Loop): void {
  const { requests } = loop.load
  while (loop.next < requests.length) {
    const now = performance.now()
    const due = dueAt(loop, loop.next)
    const request = requests[loop.next]
    if (due > now || !request) return
    const slot = loop.idle.pop()
    if (!slot) return
    slot.at = loop.next
    loop.lateness[loop.next] = now - Math.max(due, slot.idleSince)
    loop.next += 1
    slot.connection?.send(request)
  }
}

function dueAt({ startedAt, intervalMs }: Loop, at: number): number {
  return startedAt + at * intervalMs
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
