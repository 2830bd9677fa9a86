/** How long used proofs are remembered under a configuration: as long as any route could take them. */
import type { Config } from '../config/schema.ts'

/** A change of configuration after which proofs, or nonces, are taken for longer than before. */
export interface Lengthening {
  /** For how long they were remembered until then, at least. */
  readonly fromSeconds: number
  /** When it changed, epoch seconds. */
  readonly at: number
}

/** By its age. The skew is for the instances whose clock is behind. */
export function rememberSeconds({ routes }: Pick<Config, 'routes'>): number {
  return routes.reduce((most, { dpop }) => Math.max(most, dpop.maxAge + dpop.clockSkew), 0) / 1000
}

/**
 * For how long proofs were remembered until now, where the next configuration takes them for longer:
 * what was used before would be forgotten too soon. Undefined where it does not.
 */
export function outlivedSeconds(from: Config, to: Config): number | undefined {
  const spans: readonly (readonly [before: number, after: number])[] = [
    [rememberSeconds(from), rememberSeconds(to)],
    [from.nonce.lifetime / 1000, to.nonce.lifetime / 1000],
  ]
  const outlived = spans.filter(([before, after]) => before < after).map(([before]) => before)
  return outlived.length === 0 ? undefined : Math.min(...outlived)
}

/** Of several changes the shortest time counts, until the last of them is long ago. */
export function addLengthening(
  before: Lengthening | undefined,
  fromSeconds: number | undefined,
  at: number,
): Lengthening | undefined {
  if (fromSeconds === undefined) return before
  return { fromSeconds: Math.min(before?.fromSeconds ?? Infinity, fromSeconds), at }
}
