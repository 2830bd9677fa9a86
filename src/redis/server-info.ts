/** Judges by its INFO whether a Redis may be trusted to remember proofs. Pure. */

import type { LinkEvent } from './health.ts'
import { readHolder, type SeenHolder } from './holder.ts'

export interface ServerInfo {
  readonly version: string
  readonly isMaster: boolean
  /** Whether `SET … NX GET` is known: it tells a lost reply of one's own from a replay. */
  readonly returnsOldValue: boolean
  /** Whether it may forget a proof before its time to make room. */
  readonly evicts: boolean
  readonly holder: SeenHolder
  /** Why it cannot be used, as the end of a sentence that begins with its name. */
  readonly problem: string | undefined
  /** The same as a word, for metrics. */
  readonly word: string
}

type Problem = readonly [word: string, sentence: string]

export function readServerInfo(info: string, unsafeEviction: boolean): ServerInfo {
  const fields = readFields(info)
  const version = fields.get('redis_version') ?? '0'
  // An eviction policy acts only where there is a limit. A server that hides either is not trusted.
  const evicts = fields.get('maxmemory') !== '0' && fields.get('maxmemory_policy') !== 'noeviction'
  const [word, problem] = findProblem(fields, evicts && !unsafeEviction) ?? ['none', undefined]

  return {
    version,
    isMaster: fields.get('role') === 'master',
    returnsOldValue: Number.parseInt(version, 10) >= 7,
    evicts,
    holder: readHolder(fields, unsafeEviction),
    problem,
    word,
  }
}

/** Whether a node says in its CLUSTER INFO that the cluster takes no commands. */
export function isClusterDown(clusterInfo: string): boolean {
  return readFields(clusterInfo).get('cluster_state') !== 'ok'
}

/** Whether what it was found unfit for makes it lose proofs that it held before. */
export function losesProofs({ word }: ServerInfo): boolean {
  return word === 'READONLY' || word === 'eviction'
}

export function readiness(name: string, servers: readonly ServerInfo[]): LinkEvent {
  const versions = [...new Set(servers.map(({ version }) => version))]
  const ready = `${name} is ready (version ${versions.join(', ')})`
  return servers.some(({ evicts }) => evicts)
    ? { level: 'warn', message: `${ready}, but may evict proofs, as replay.unsafeEviction allows` }
    : { level: 'info', message: ready }
}

function readFields(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':')
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1))
  }
  return fields
}

function findProblem(fields: ReadonlyMap<string, string>, evicts: boolean): Problem | undefined {
  if (fields.get('loading') === '1' || fields.get('async_loading') === '1') {
    return ['LOADING', 'is still loading its data']
  }
  if (fields.get('role') !== 'master') {
    return [
      'READONLY',
      'is a replica, which cannot record proofs: replay.url or its Sentinels must lead to the master',
    ]
  }
  if (!evicts) return undefined
  const policy = fields.get('maxmemory_policy') ?? 'unknown'
  return [
    'eviction',
    `may evict proofs before they expire (maxmemory-policy is ${policy}), and an evicted proof ` +
      'can be replayed: set maxmemory-policy to noeviction, or accept it with replay.unsafeEviction',
  ]
}
