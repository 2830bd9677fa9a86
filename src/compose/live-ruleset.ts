/**
 * One configuration after the other, while requests go on: the new ruleset is built and ready
 * before it takes the place of the old one, which then finishes what has come to it.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { requireSameProcess } from '../config/fixed-settings.ts'
import type { Config } from '../config/schema.ts'
import type { Issuers } from './issuers.ts'
import { outlivedSeconds } from './retention.ts'
import { createRuleset, type Ruleset, type RulesetParts } from './ruleset.ts'

export interface LiveRuleset {
  /** Takes the requests that come now. */
  readonly current: () => Ruleset
  /** Rejects with the reason where the one before stays. Not to be called while it goes on. */
  readonly replace: (config: Config) => Promise<void>
  /** Breaks off what is under way, of all there have been. */
  readonly destroy: () => Promise<void>
}

export interface LiveRulesetOptions {
  readonly parts: RulesetParts
  readonly createIssuers: (configs: Config['issuers']) => Issuers
  /** At the moment of the change. */
  readonly onChange: (config: Config) => void
}

/** New issuers get that long to publish their keys. */
const WARM_UP_MS = 10_000
const POLL_MS = 20

export function createLiveRuleset(initial: Config, options: LiveRulesetOptions): LiveRuleset {
  const { parts, createIssuers, onChange } = options
  let current = createRuleset(initial, createIssuers(initial.issuers), parts)
  /** All that are not released: the current one is the last. */
  const rulesets = new Set([current])

  async function retire(ruleset: Ruleset): Promise<void> {
    await ruleset.retire()
    release(ruleset)
  }

  function release(ruleset: Ruleset): void {
    rulesets.delete(ruleset)
    // One that changed nothing about the issuers has taken them over.
    const isShared = [...rulesets].some(({ issuers }) => issuers === ruleset.issuers)
    if (!isShared) ruleset.issuers.close()
  }

  async function replace(config: Config): Promise<void> {
    requireSameProcess(current.config, config)
    const isSame = isDeepStrictEqual(current.config.issuers, config.issuers)
    const issuers = isSame ? current.issuers : createIssuers(config.issuers)
    const next = createRuleset(config, issuers, parts)
    rulesets.add(next)
    if (!isSame) {
      issuers.start()
      try {
        await warmUp(current.issuers, issuers)
      } catch (error) {
        release(next)
        throw error
      }
    }
    const fromSeconds = outlivedSeconds(current.config, config)
    if (fromSeconds !== undefined) parts.replays.lengthen({ fromSeconds, at: parts.clock() })
    onChange(config)
    const previous = current
    current = next
    void retire(previous)
  }

  return {
    current: () => current,
    replace,
    async destroy() {
      await Promise.all([...rulesets].map((ruleset) => ruleset.destroy()))
      for (const ruleset of rulesets) release(ruleset)
    },
  }
}

/** Throws where an issuer does not get ready that is new, or was ready before. */
async function warmUp(before: Issuers, after: Issuers): Promise<void> {
  const deadline = performance.now() + WARM_UP_MS
  const late = () => {
    const known = before.readiness()
    return Object.entries(after.readiness()).find(
      ([name, { ready }]) => !ready && known[name]?.ready !== false,
    )
  }
  for (let missing = late(); missing; missing = late()) {
    const [name, { reason }] = missing
    if (performance.now() > deadline) throw new Error(`issuer ${name}: ${reason ?? 'not ready'}`)
    await delay(POLL_MS, undefined, { ref: false })
  }
}
