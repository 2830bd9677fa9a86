/** Which server holds the proofs, and whether it still holds those of before. Pure. */

export interface Holder {
  /** Another after a restart or a failover. */
  readonly runId: string
  /** Of its history of writes: another after it has been the replica of a server. */
  readonly replicationId: string
  /** How many keys it has evicted; 0 where that is accepted. */
  readonly evicted: number
}

export interface SeenHolder extends Holder {
  /** Whether it took over the history of another server, within the last hour at least. */
  readonly hasBeenReplica: boolean
}

/** Where nothing is known of it, as some proxies for Redis say nothing, and in a cluster. */
export const UNKNOWN_HOLDER: SeenHolder = {
  ...{ runId: '', replicationId: '', evicted: 0 },
  hasBeenReplica: false,
}

/** Of the fields of `INFO`. */
export function readHolder(
  fields: ReadonlyMap<string, string>,
  unsafeEviction: boolean,
): SeenHolder {
  const read = (name: string) => /^\w{1,64}$/.exec(fields.get(name) ?? '')?.[0] ?? ''
  const evicted = /^\d{1,15}$/.exec(fields.get('evicted_keys') ?? '')?.[0] ?? '0'
  return {
    runId: read('run_id'),
    replicationId: read('master_replid'),
    evicted: unsafeEviction ? 0 : Number(evicted),
    hasBeenReplica: /[^0]/.test(read('master_replid2')),
  }
}

/**
 * Whether proofs may have been lost since the server was `known`: it is another, it has taken the
 * data of another for its own in between, or it has evicted keys.
 */
export function hasForgotten(known: Holder, seen: SeenHolder): boolean {
  if (seen.runId !== known.runId) return true
  // The first replica that connects begins a history of the same data, with no other before it.
  if (seen.replicationId !== known.replicationId && seen.hasBeenReplica) return true
  // Set back to 0 by CONFIG RESETSTAT.
  return seen.evicted !== known.evicted && seen.evicted > 0
}
