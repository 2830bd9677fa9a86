/**
 * Finds out when Redis has forgotten proofs: after FLUSHALL and after a restart without its data the
 * marker is gone, after a restart with an old snapshot or a failover another server holds it, and
 * the same server says itself that it has evicted or has been a replica. It then begins anew with
 * the time of this moment, and all instances go by that.
 */

import type { Link } from './link.ts'
import type { Markers } from './markers.ts'

export interface EpochGuardOptions {
  readonly link: Link
  readonly markers: Markers
  /** The names there are: one, or in a cluster one for each group of keys that stays together. */
  readonly names: readonly string[]
  /** Whether one server holds all of it, and can be known by its name. */
  readonly isOneServer: boolean
}

export interface EpochGuard {
  /** Whether what the server has said last of itself fits the markers. */
  readonly isChecked: boolean
  /** Resolves once it is known. */
  checked(): Promise<void>
  /** Why claims cannot be answered at the moment, as a sentence. */
  readonly problem: string | undefined
}

export function createEpochGuard(options: EpochGuardOptions): EpochGuard {
  const { link, markers, names, isOneServer } = options
  let checkedConnections = 0
  let checkedLosses = 0
  let checking: Promise<void> | undefined

  async function check(): Promise<void> {
    const { connections, losses } = link
    if (checkedLosses !== losses) {
      for (const name of names) markers.doubt(name)
    }
    const checks = await Promise.allSettled(names.map((name) => markers.check(name)))
    // Of a cluster a part may be out of reach, of which its claims find out by themselves.
    const failed = checks.find((it) => it.status === 'rejected')
    if (isOneServer && failed) throw failed.reason
    checkedConnections = connections
    checkedLosses = losses
  }

  const isChecked = () => checkedConnections === link.connections && checkedLosses === link.losses

  return {
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
      if (!isChecked()) return `${link.name} has not said yet since when it remembers`
      return markers.isBeginning ? `${link.name} has forgotten proofs, and begins anew` : undefined
    },
  }
}
