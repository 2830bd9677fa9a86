/** The masters of a Redis Cluster: which are connected, and which of them are fit. */

import type { Cluster, Redis } from 'ioredis'
import { faultSentence, faultWord, isReply } from './fault.ts'
import type { LinkEvent } from './health.ts'
import { isClusterDown, losesProofs, readServerInfo, type ServerInfo } from './server-info.ts'

export interface MastersOptions {
  readonly name: string
  readonly client: Cluster
  readonly unsafeEviction: boolean
  readonly report: (event: LinkEvent) => void
  readonly onChange: () => void
}

interface Unfit {
  readonly word: string
  /** A sentence with the node for its subject. */
  readonly problem: string
  /** `run_id`, where it may have lost proofs by it. */
  readonly lapsed?: string | undefined
}

export interface Masters {
  /** Whether every one that is connected, or about to be, has been looked at. */
  readonly areChecked: boolean
  /** Those that are fit. */
  readonly fit: readonly ServerInfo[]
  readonly unfit: Unfit | undefined
  /** How many new connections have been found fit so far. */
  readonly connections: number
  /** How often one that is fit has been seen to have lost proofs. */
  readonly losses: number
  watch(node: Redis): void
  /** Resolves once all that are connected by now have been looked at. */
  checked(): Promise<unknown>
  /** Looks at all that are connected once more. */
  recheck(): Promise<unknown>
  close(): void
}

export function createMasters(options: MastersOptions): Masters {
  const { client, unsafeEviction, onChange } = options
  const verdicts = new Map<Redis, ServerInfo | Unfit>()
  const running = new Set<Promise<void>>()
  const absences = createAbsences(options)
  const evictions = createEvictions()
  let connections = 0

  async function inspect(node: Redis): Promise<void> {
    const verdict = await judge(node, unsafeEviction)
    if (verdict === undefined || node.status !== 'ready') return
    if (isFit(verdict)) {
      if (!verdicts.has(node)) connections += 1
      absences.end(node)
      if (verdict.isMaster) evictions.note(verdict)
      // It was replaced, and those who ask it are sent on.
      if (!verdict.isMaster && client.nodes('master').includes(node)) client.refreshSlotsCache()
    } else if (verdict.lapsed !== undefined) evictions.lapse(verdict.lapsed)
    verdicts.set(node, verdict)
  }

  function start(node: Redis): Promise<void> {
    const inspection = inspect(node).finally(() => {
      running.delete(inspection)
      onChange()
    })
    running.add(inspection)
    return inspection
  }

  return {
    get areChecked() {
      return running.size === 0 && client.nodes('master').every((node) => verdicts.has(node))
    },
    get fit() {
      return [...verdicts.values()].filter(isFit)
    },
    get unfit() {
      return [...verdicts.values()].find((verdict): verdict is Unfit => !isFit(verdict))
    },
    get connections() {
      return connections
    },
    get losses() {
      return evictions.losses
    },
    watch(node) {
      node.on('ready', () => void start(node))
      node.on('error', (error) => {
        absences.begin(node, error)
      })
      node.once('end', () => {
        verdicts.delete(node)
        onChange()
      })
      if (node.options.readOnly !== true) connectSoon(node)
    },
    checked: () => Promise.all(running),
    recheck: () => Promise.all([...verdicts.keys()].map(start)),
    close() {
      absences.close()
    },
  }
}

function isFit(verdict: ServerInfo | Unfit): verdict is ServerInfo {
  return 'version' in verdict
}

/** Not before whoever found the node has sent to it: while it connects, ioredis refuses. */
function connectSoon(node: Redis): void {
  setImmediate(() => {
    if (node.status === 'wait') node.connect().catch(() => undefined)
  })
}

/** Undefined where the connection broke, which its end says. */
async function judge(
  node: Redis,
  unsafeEviction: boolean,
): Promise<ServerInfo | Unfit | undefined> {
  const subject = `node ${keyOf(node)}`
  try {
    const [info, cluster] = await Promise.all([node.info(), node.cluster('INFO')])
    const server = readServerInfo(info, unsafeEviction)
    // A claim that reaches a replica is sent on to its master.
    if (!server.isMaster) return server
    if (server.problem !== undefined) {
      const lapsed = losesProofs(server) ? server.holder.runId : undefined
      return { word: server.word, problem: `${subject} ${server.problem}`, lapsed }
    }
    if (!isClusterDown(cluster)) return server
    return { word: 'CLUSTERDOWN', problem: `${subject} says that the cluster is down` }
  } catch (error) {
    if (!isReply(error)) return undefined
    return { word: faultWord(error), problem: `${subject} ${faultSentence(error)}` }
  }
}

/** By `run_id`, as a node may be known by several addresses. */
function createEvictions() {
  const evicted = new Map<string, number>()
  const lapsed = new Set<string>()
  let losses = 0
  return {
    note({ holder: { runId, evicted: count } }: ServerInfo): void {
      // What was evicted before it was known is no less lost.
      const isMore = count > 0 && count !== evicted.get(runId)
      if (lapsed.delete(runId) || isMore) losses += 1
      evicted.set(runId, count)
    },
    /** It may evict, whatever it says of it later. */
    lapse(runId: string): void {
      lapsed.add(runId)
    },
    get losses() {
      return losses
    },
  }
}

/** Reports each master that is out of reach, and that it is back, once. */
function createAbsences({ name, client, report }: MastersOptions) {
  const lost = new Set<string>()
  let closed = false
  return {
    begin(node: Redis, error: unknown): void {
      const key = keyOf(node)
      if (closed || client.status !== 'ready' || lost.has(key)) return
      lost.add(key)
      const message = `${name}: node ${key} ${faultSentence(error)}, and what belongs to it is refused`
      report({ level: 'warn', message })
    },
    end(node: Redis): void {
      const key = keyOf(node)
      if (lost.delete(key)) report({ level: 'info', message: `${name}: node ${key} is back` })
    },
    close(): void {
      closed = true
    },
  }
}

function keyOf({ options: { host, port } }: Redis): string {
  return `${host ?? ''}:${port ?? ''}`
}
