/**
 * One configuration after the other, while requests go on: the new service is built and ready
 * before it takes the place of the old one, which then finishes what has come to it.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { changedFixedSettings } from '../config/fixed-settings.ts'
import type { Config } from '../config/schema.ts'
import type { Issuers } from './issuers.ts'
import { outlivedSeconds } from './retention.ts'
import { createService, type Service, type ServiceParts } from './service.ts'

export interface Succession {
  /** Takes the requests that come now. */
  readonly current: () => Service
  /** Rejects with the reason where the one before stays. Not to be called while it goes on. */
  readonly replace: (config: Config) => Promise<void>
  /** Breaks off what is under way, of all there have been. */
  readonly destroy: () => Promise<void>
}

export interface SuccessionOptions {
  readonly parts: ServiceParts
  readonly createIssuers: (configs: Config['issuers']) => Issuers
  /** At the moment of the change. */
  readonly onChange: (config: Config) => void
}

/** New issuers get that long to publish their keys. */
const WARM_UP_MS = 10_000
const POLL_MS = 20

export function createSuccession(initial: Config, options: SuccessionOptions): Succession {
  const { parts, createIssuers, onChange } = options
  let current = createService(initial, createIssuers(initial.issuers), parts)
  /** All that are not released: the current one is the last. */
  const services = new Set([current])

  async function retire(service: Service): Promise<void> {
    await service.retire()
    release(service)
  }

  function release(service: Service): void {
    services.delete(service)
    // One that changed nothing about the issuers has taken them over.
    const isShared = [...services].some(({ issuers }) => issuers === service.issuers)
    if (!isShared) service.issuers.close()
  }

  async function replace(config: Config): Promise<void> {
    requireSameProcess(current.config, config)
    const isSame = isDeepStrictEqual(current.config.issuers, config.issuers)
    const issuers = isSame ? current.issuers : createIssuers(config.issuers)
    const next = createService(config, issuers, parts)
    services.add(next)
    if (!isSame) {
      issuers.start()
      try {
        await warmUp(current.issuers, issuers)
      } catch (error) {
        release(next)
        throw error
      }
    }
    const seconds = outlivedSeconds(current.config, config)
    if (seconds !== undefined) parts.replays.lengthen(seconds)
    onChange(config)
    const previous = current
    current = next
    void retire(previous)
  }

  return {
    current: () => current,
    replace,
    async destroy() {
      await Promise.all([...services].map((service) => service.destroy()))
      for (const service of services) release(service)
    },
  }
}

function requireSameProcess(from: Config, to: Config): void {
  const changed = changedFixedSettings(from, to)
  if (changed.length > 0) throw new Error(`needs a restart: ${changed.join(', ')} changed`)
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
