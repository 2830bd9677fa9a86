/** Tries each configured issuer as the gateway would use it, and says what would fail. */
import type { Config } from './config/schema.ts'
import { createDiscovery } from './issuer/discovery.ts'
import { reason } from './issuer/request.ts'
import type { Finding } from './survey/finding.ts'
import { surveyIntrospection } from './survey/introspection.ts'
import { surveyKeys } from './survey/keys.ts'
import { surveyMetadata } from './survey/metadata.ts'
import type { IssuerConfig } from './survey/subject.ts'

export interface Surveyed {
  /** In the configuration. */
  readonly name: string
  readonly issuer: string
  readonly findings: readonly Finding[]
}

/** All at once; the answer is in the order of the configuration. Never rejects for an issuer. */
export function survey({ issuers }: Config): Promise<readonly Surveyed[]> {
  return Promise.all(
    Object.entries(issuers).map(async ([name, config]) => ({
      name,
      issuer: config.issuer,
      findings: await surveyIssuer(config),
    })),
  )
}

async function surveyIssuer(config: IssuerConfig): Promise<readonly Finding[]> {
  const discovery = createDiscovery(config)
  try {
    // Awaited before the rest, which would try again what has failed.
    const published = await discovery.published().catch(reason)
    const subject = { config, discovery, published }
    const asked = await Promise.all([surveyKeys(subject), surveyIntrospection(subject)])
    return [surveyMetadata(subject), ...asked].flat()
  } finally {
    discovery.close()
  }
}
