/**
 * The one source of gateway.yaml: shape, defaults, descriptions and JSON Schema. Every value that
 * reads differently in the code than in the file is a codec, so what was parsed can be printed.
 */

import { z } from 'zod'
import { AssertionSigning } from './assertion-schema.ts'
import { Issuers, Nonce, Proof } from './issuer-schema.ts'
import { Replay } from './replay-schema.ts'
import type { PemFiles } from './pem-files.ts'
import { Resource } from './resource-schema.ts'
import { Identity, Route } from './route-schema.ts'
import { Admin, Log, Server } from './server-schema.ts'

export const Settings = z.strictObject({
  server: Server.prefault({}).describe('What clients talk to.'),
  admin: Admin.prefault({}).describe('What operators talk to.'),
  log: Log.prefault({}).describe('What is logged, as JSON on standard output.'),
  issuers: Issuers.prefault({}).describe(
    'Authorization servers whose tokens are accepted, by names of your own.',
  ),
  dpop: Proof.prefault({}).describe('Rules for proofs; a route may override each.'),
  nonce: Nonce.prefault({}).describe(
    'Nonces for proofs, with `dpop.nonce: required` and, in an outage, `replay.onOutage: nonce`.',
  ),
  replay: Replay.prefault({}).describe('How used proofs are remembered.'),
  identity: Identity.prefault({}).describe(
    'What the upstream learns about the caller; a route may override each.',
  ),
  assertion: AssertionSigning.prefault({}).describe(
    'How assertions for upstreams are signed; which upstreams get one stands in `identity`.',
  ),
  resource: Resource.prefault({}).describe(
    'What clients can learn before they have a token, from protected resource metadata (RFC 9728).',
  ),
  routes: z.array(Route).min(1).describe('What is forwarded where. The most specific path wins.'),
})

type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T

/** The file as written, with defaults. Durations are milliseconds, sizes bytes. */
export type Settings = DeepReadonly<z.output<typeof Settings>>

export type ProofConfig = Settings['dpop']
export type ReplayConfig = Settings['replay']
export type IdentityConfig = Settings['identity']
type RouteSettings = Settings['routes'][number]

/** A route with the rules that hold for it, its own over the global ones. */
export interface RouteConfig extends Omit<RouteSettings, 'dpop' | 'identity'> {
  readonly dpop: ProofConfig
  readonly identity: IdentityConfig
}

/** What the gateway is made from: nothing is left to merge. */
export interface Config extends Omit<Settings, 'routes'> {
  readonly routes: readonly RouteConfig[]
  readonly pem: PemFiles
}

export function compileConfig(settings: Settings, pem: PemFiles): Config {
  return {
    ...settings,
    pem,
    routes: settings.routes.map((route) => ({
      ...route,
      dpop: override(settings.dpop, route.dpop),
      identity: identityOf(settings, route),
    })),
  }
}

/** Without a token there is nobody to make a statement about. */
function identityOf({ identity }: Settings, route: RouteSettings): IdentityConfig {
  const whole = override(identity, route.identity)
  const hasToken = route.access !== 'public' && route.access !== 'proof'
  if (hasToken || !whole.assertion) return whole
  return { ...whole, assertion: undefined }
}

/**
 * The base, with what the override says. A header map is replaced as a whole. The base itself where
 * nothing is said, so that all such routes share it.
 */
function override<Base extends object>(
  base: Base,
  changes: { readonly [Key in keyof Base]?: Base[Key] | undefined } = {},
): Base {
  const said = Object.entries(changes).filter(([, value]) => value !== undefined)
  return said.length === 0 ? base : { ...base, ...Object.fromEntries(said) }
}
