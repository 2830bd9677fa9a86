import { createDiscovery } from '../../src/issuer/discovery.ts'
import { createKeySet, type KeySet } from '../../src/issuer/keys.ts'
import type { KeySourceOptions } from '../../src/issuer/key-source.ts'
import { ALGORITHMS, type AlgorithmName } from '../../src/jws/algorithms.ts'
import type { Authority } from '../support/jwks-server.ts'
import type { Owner } from '../support/owner.ts'

export const ALL = Object.keys(ALGORITHMS) as AlgorithmName[]

/** Keys of an authority, not started. */
export function keySetOf(
  t: Owner,
  authority: Authority,
  options: Partial<KeySourceOptions> = {},
): KeySet {
  const { issuer, jwksUri } = authority
  const report = () => undefined
  const discovery = createDiscovery({ issuer, ...options })
  const keys = createKeySet({ jwksUri, discovery, algorithms: ALL, report, ...options })
  t.teardown(keys.close)
  t.teardown(discovery.close)
  return keys
}
