/** Whether an issuer answers questions about tokens, and takes the credentials of the gateway. */
import { randomBytes } from 'node:crypto'
import { Denial } from '../denial.ts'
import { createIssuerIntrospection } from '../compose/introspection.ts'
import type { Introspected } from '../issuer/introspection-answer.ts'
import { createKeySet } from '../issuer/keys.ts'
import type { Metadata } from '../issuer/metadata.ts'
import { reason } from '../issuer/request.ts'
import { fail, note, ok, type Finding } from './finding.ts'
import { listOf } from './metadata.ts'
import { findsEndpoints, metadataOf, type IssuerConfig, type Subject } from './subject.ts'

type IntrospectionConfig = NonNullable<IssuerConfig['introspection']>

export async function surveyIntrospection(subject: Subject): Promise<readonly Finding[]> {
  const { config, discovery } = subject
  const { introspection } = config
  if (!introspection) return []
  const metadata = metadataOf(subject)
  const { method } = introspection.auth
  if (findsEndpoints(config) && !metadata) {
    const keys = `introspection.endpoint${method === 'bearer' ? ' and auth.tokenEndpoint' : ''}`
    return [
      note(
        `introspection not tried without the metadata: mend that, or set ${keys} if there is none`,
      ),
    ]
  }
  try {
    const endpoint = introspection.endpoint ?? (await discovery.endpoint('introspection_endpoint'))
    const { active } = await askOnce(subject, { ...introspection, endpoint })
    return [
      active
        ? fail(`introspection at ${endpoint} vouches for a made-up token: it must not be used`)
        : ok(`introspection at ${endpoint} takes the credentials of the gateway (${method})`),
    ]
  } catch (cause) {
    const sentence = cause instanceof Denial ? cause.detail : undefined
    return [
      fail(`introspection: ${sentence ?? reason(cause)}`),
      ...(metadata ? hintAtMethod(method, metadata) : []),
    ]
  }
}

/** What the issuer says about a token that nobody has issued. */
async function askOnce(
  { config, discovery }: Subject,
  introspection: IntrospectionConfig,
): Promise<Introspected> {
  const report = () => undefined
  const keys = createKeySet({ ...config, discovery, report })
  const own = createIssuerIntrospection(config, introspection, {
    ...{ discovery, keys, report },
    measure: () => undefined,
  })
  try {
    if (introspection.response === 'jwt') await keys.start()
    return await own.ask(randomBytes(32).toString('base64url'))
  } finally {
    own.close()
    keys.close()
  }
}

/** RFC 8414 §2: how clients may authenticate, as far as the issuer says. */
function hintAtMethod(
  method: IntrospectionConfig['auth']['method'],
  metadata: Metadata,
): readonly Finding[] {
  if (method === 'none') return []
  const atToken = listOf(metadata['token_endpoint_auth_methods_supported'])
  const atIntrospection = listOf(metadata['introspection_endpoint_auth_methods_supported'])
  const [used, taken, where] =
    method === 'bearer'
      ? (['client_secret_basic', atToken, 'its token endpoint'] as const)
      : ([method, atIntrospection ?? atToken, 'introspection'] as const)
  if (!taken || taken.includes(used)) return []
  return [note(`says that ${where} takes ${taken.join(', ')}, not ${used} (auth.method)`)]
}
