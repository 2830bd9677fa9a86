/**
 * Whether Redis takes claims: it can be there and fit, and answer each with an error such as `OOM`.
 * Claims go on meanwhile, as such an answer is quick, and a write that changes nothing finds out
 * without them when it begins and when it is over.
 */

import { monotonicSeconds } from '../dpop/generations.ts'
import type { EpochGuard } from './epoch-guard.ts'
import { faultSentence, faultWord, isReply } from './fault.ts'
import type { LinkEvent } from './health.ts'
import type { Link } from './link.ts'
import type { Markers } from './markers.ts'
import { RECHECK_FIT_MS, RECHECK_UNFIT_MS } from './timing.ts'

export interface WriteWatchOptions {
  readonly link: Link
  readonly guard: EpochGuard
  readonly markers: Markers
  /** Of the markers: there is one wherever claims go. */
  readonly names: readonly string[]
  readonly report: (event: LinkEvent) => void
}

export interface WriteWatch {
  /** What is kept beside the marker was written. */
  wrote(marker: string): void
  failed(marker: string, error: unknown): void
  /** Why claims are refused at the moment, as a sentence. */
  readonly problem: string | undefined
  close(): void
}

// So that a server that refuses some and not others is one line in the log, not one for each.
const QUIET_SECONDS = 1

/** That another server is to be asked, which the link finds out by itself. */
const MOVED = ['READONLY', 'MASTERDOWN', 'MOVED', 'ASK', 'TRYAGAIN', 'CLUSTERDOWN']

export function createWriteWatch(options: WriteWatchOptions): WriteWatch {
  const { link, report } = options
  /** The reasons, by marker. */
  const refused = new Map<string, string>()
  let refusedAt = -Infinity

  function wrote(marker: string): void {
    if (refused.size === 0 || monotonicSeconds() - refusedAt < QUIET_SECONDS) return
    if (!refused.delete(marker) || refused.size > 0) return
    report({ level: 'info', message: `${link.name} takes proofs again` })
  }

  function failed(marker: string, error: unknown): void {
    if (!isReply(error) || MOVED.includes(faultWord(error))) return
    const problem = `${link.name} ${faultSentence(error)}`
    const isNews = ![...refused.values()].includes(problem)
    refused.set(marker, problem)
    refusedAt = monotonicSeconds()
    if (!isNews) return
    report({ level: 'warn', message: problem })
    probes.soon()
  }

  const probes = createProbes(options, { wrote, failed }, () => refused.size > 0)

  return {
    wrote,
    failed,
    get problem() {
      const [problem] = refused.values()
      return problem
    },
    close() {
      probes.close()
    },
  }
}

function createProbes(
  { link, guard, markers, names }: WriteWatchOptions,
  { wrote, failed }: Pick<WriteWatch, 'wrote' | 'failed'>,
  isRefused: () => boolean,
) {
  let next: NodeJS.Timeout | undefined
  let running = false
  let closed = false

  async function probe(marker: string): Promise<void> {
    try {
      if (link.problem !== undefined) return
      await guard.checked()
      await markers.touch(marker)
      wrote(marker)
    } catch (error) {
      failed(marker, error)
    }
  }

  async function run(): Promise<void> {
    running = true
    await Promise.all(names.map(probe))
    running = false
    schedule()
  }

  function schedule(): void {
    if (running || closed) return
    clearTimeout(next)
    next = setTimeout(() => void run(), isRefused() ? RECHECK_UNFIT_MS : RECHECK_FIT_MS).unref()
  }

  schedule()
  return {
    soon: schedule,
    close(): void {
      closed = true
      clearTimeout(next)
    },
  }
}
