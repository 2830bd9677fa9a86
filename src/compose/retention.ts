/** How long used proofs are remembered under a configuration: as long as any route could take them. */
import type { Config } from '../config/schema.ts'

/** By the age of the proof, and by that of its nonce. */
function retentionSeconds({ routes, nonce }: Config): readonly [byAge: number, byNonce: number] {
  const spans = routes.map(({ dpop }) => dpop.maxAge + dpop.clockSkew)
  return [Math.max(...spans) / 1000, nonce.lifetime / 1000]
}

/**
 * For how long proofs were remembered until now, where the next configuration takes them for longer:
 * what was used before would be forgotten too soon. Undefined where it does not.
 */
export function outlivedSeconds(from: Config, to: Config): number | undefined {
  const next = retentionSeconds(to)
  const shorter = retentionSeconds(from).filter((seconds, at) => seconds < (next[at] ?? 0))
  return shorter.length === 0 ? undefined : Math.min(...shorter)
}
