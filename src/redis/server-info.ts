/** Judges by its INFO whether a Redis may be trusted to remember proofs. Pure. */

export interface ServerInfo {
  readonly version: string
  /** Whether `SET … NX GET` is known: it tells a lost reply of one's own from a replay. */
  readonly returnsOldValue: boolean
  /** Whether it may forget a proof before its time to make room. */
  readonly evicts: boolean
  /** Why it cannot be used, as the end of a sentence that begins with its name. */
  readonly problem: string | undefined
}

export function readServerInfo(info: string, unsafeEviction: boolean): ServerInfo {
  const fields = new Map<string, string>()
  for (const line of info.split('\r\n')) {
    const colon = line.indexOf(':')
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1))
  }
  const version = fields.get('redis_version') ?? '0'
  // An eviction policy acts only where there is a limit. A server that hides either is not trusted.
  const evicts = fields.get('maxmemory') !== '0' && fields.get('maxmemory_policy') !== 'noeviction'

  return {
    version,
    returnsOldValue: Number.parseInt(version, 10) >= 7,
    evicts,
    problem: findProblem(fields, evicts && !unsafeEviction),
  }
}

function findProblem(fields: ReadonlyMap<string, string>, evicts: boolean): string | undefined {
  if (fields.get('loading') === '1' || fields.get('async_loading') === '1') {
    return 'is still loading its data'
  }
  if (fields.get('role') !== 'master') {
    return 'is a replica, which cannot record proofs: replay.url must lead to the master'
  }
  if (evicts) {
    const policy = fields.get('maxmemory_policy') ?? 'unknown'
    return (
      `may evict proofs before they expire (maxmemory-policy is ${policy}), and an evicted proof ` +
      'can be replayed: set maxmemory-policy to noeviction, or accept it with replay.unsafeEviction'
    )
  }
  return undefined
}
