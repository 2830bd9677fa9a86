/**
 * What Redis says of its own memory: a marker without a time to live that holds since when it
 * remembers and which server wrote that down. Whatever empties Redis takes the marker too. Pure.
 */

import type { Holder } from './holder.ts'

export interface Epoch {
  /** Epoch seconds, whole. What was claimed up to then may have been forgotten. */
  readonly since: number
  readonly holder: Holder
}

export function writeEpoch({ since, holder }: Epoch): string {
  return `${since} ${holder.runId} ${holder.replicationId} ${holder.evicted}`
}

/** Undefined for what nobody here has written. */
export function readEpoch(text: string): Epoch | undefined {
  const [, since, runId, replicationId, evicted] =
    /^(\d{1,12}) (\w{0,64}) (\w{0,64}) (\d{1,15})$/.exec(text) ?? []
  if (since === undefined || runId === undefined || replicationId === undefined) return undefined
  return { since: Number(since), holder: { runId, replicationId, evicted: Number(evicted) } }
}
