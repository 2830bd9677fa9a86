/** A WebSocket lasts no longer than the token it was opened with. */
import type { Grant } from '../../gate.ts'
import { POLICY_VIOLATION } from './lane.ts'
import type { Tunnel } from './tunnel.ts'

/** The longest Node's timers can wait. */
const LONGEST_MS = 2 ** 31 - 1

/** Counted from the instant of the decision, on the monotonic clock. */
export function closeOnExpiry({ close, closed }: Tunnel, grant: Grant | undefined): void {
  const expiresAt = grant?.token?.expiresAt ?? Infinity
  if (!grant || expiresAt === Infinity) return
  const dueAt = performance.now() + (expiresAt - grant.now) * 1000
  let timer: NodeJS.Timeout
  const wait = () => {
    const left = dueAt - performance.now()
    if (left <= 0) close(POLICY_VIOLATION)
    else timer = setTimeout(wait, Math.min(left, LONGEST_MS))
  }
  wait()
  void closed.then(() => {
    clearTimeout(timer)
  })
}
