/** The issuer a survey is about, and what it needs of the metadata. */
import type { Config } from '../config/schema.ts'
import { needsKeys } from '../compose/introspection.ts'
import type { Discovery } from '../issuer/discovery.ts'
import type { Metadata, Published } from '../issuer/metadata.ts'

export type IssuerConfig = Config['issuers'][string]

export interface Subject {
  readonly config: IssuerConfig
  readonly discovery: Discovery
  /** Why there is none, where there is none. */
  readonly published: Published | string
}

export function metadataOf({ published }: Subject): Metadata | undefined {
  return typeof published === 'string' ? undefined : published.metadata
}

/** Whether the place of its keys stands in the metadata alone. */
export function findsKeys(config: IssuerConfig): boolean {
  return needsKeys(config) && config.jwksUri === undefined
}

/** Whether an endpoint it takes to introspect stands in the metadata alone. */
export function findsEndpoints({ introspection }: IssuerConfig): boolean {
  if (!introspection) return false
  const { endpoint, auth } = introspection
  return endpoint === undefined || (auth.method === 'bearer' && auth.tokenEndpoint === undefined)
}
