/**
 * The one source of gateway.yaml: shape, defaults, descriptions and JSON Schema. Every value that
 * reads differently in the code than in the file is a codec, so what was parsed can be printed.
 */

import { z } from 'zod'
import { Issuers, Nonce, Proof, Replay } from './issuer-schema.ts'
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
  nonce: Nonce.prefault({}).describe('Nonces for proofs, for routes with `dpop.nonce: required`.'),
  replay: Replay.prefault({}).describe('How used proofs are remembered.'),
  identity: Identity.prefault({}).describe(
    'What the upstream learns about the caller; a route may override each.',
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
}

export function compileConfig(settings: Settings): Config {
  return {
    ...settings,
    routes: settings.routes.map((route) => ({
      ...route,
      dpop: override(settings.dpop, route.dpop),
      identity: override(settings.identity, route.identity),
    })),
  }
}

/** The base, with what the override says. A header map is replaced as a whole. */
function override<Base extends object>(
  base: Base,
  changes: { readonly [Key in keyof Base]?: Base[Key] | undefined } = {},
): Base {
  const said = Object.entries(changes).filter(([, value]) => value !== undefined)
  return { ...base, ...Object.fromEntries(said) }
}
