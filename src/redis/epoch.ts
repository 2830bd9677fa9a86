/**
 * What Redis says of its own memory: a marker without a time to live that holds since when it
 * remembers and which server wrote that down. Whatever empties Redis takes the marker too. Pure.
 */

export interface Epoch {
  /** Epoch seconds, whole. What was claimed up to then may have been forgotten. */
  readonly since: number
  /** `run_id` of the server, which is another after a restart or a failover. */
  readonly server: string
}

export function writeEpoch({ since, server }: Epoch): string {
  return `${since} ${server}`
}

/** Undefined for what nobody here has written. */
export function readEpoch(text: string): Epoch | undefined {
  const [, since, server] = /^(\d{1,12}) (\w{0,64})$/.exec(text) ?? []
  return since === undefined || server === undefined ? undefined : { since: Number(since), server }
}

/** Of what `INFO` says. Empty where it says nothing of it, as some proxies for Redis do. */
export function readServerId(info: string): string {
  return /^run_id:(\w{1,64})\r?$/m.exec(info)?.[1] ?? ''
}
