/** The introspection of one issuer, from its configuration: where to ask, as whom, and with what. */
import type { Config } from '../config/schema.ts'
import type { Discovery } from '../issuer/discovery.ts'
import {
  createNoAuthentication,
  createPrivateKeyJwt,
  createSecretBasic,
  createSecretPost,
  type ClientAuthentication,
} from '../issuer/client-authentication.ts'
import { createIntrospection, type Introspection, type Outcome } from '../issuer/introspection.ts'
import type { KeySet, Readiness } from '../issuer/keys.ts'
import { createBearer, createOwnToken } from '../issuer/own-token.ts'
import { createRefresher } from '../issuer/refresher.ts'
import { reason } from '../issuer/request.ts'
import { processTiming } from '../issuer/timing.ts'
import { withAliases } from '../jws/algorithms.ts'
import { readSigningKey, type SigningKey } from '../jws/signing-key.ts'

type IssuerConfig = Config['issuers'][string]
type IntrospectionConfig = NonNullable<IssuerConfig['introspection']>

interface Surroundings {
  readonly discovery: Discovery
  readonly keys: KeySet
  readonly report: (event: { level: 'info' | 'warn' | 'error'; message: string }) => void
  readonly measure: (outcome: Outcome, seconds: number) => void
}

export interface IssuerIntrospection extends Introspection {
  /** Finds out where to ask. Settles after the attempt, however that ended. */
  readonly start: () => Promise<void>
  readonly readiness: () => Readiness
}

const ENDPOINT_SECONDS = 600
const TOKEN_BYTES = 64 * 1024

/** Without either use of its keys an issuer need not publish any. */
export function needsKeys({ introspection }: IssuerConfig): boolean {
  return !(introspection?.always === true && introspection.response === 'json')
}

export function createIssuerIntrospection(
  issuer: IssuerConfig,
  config: IntrospectionConfig,
  { discovery, keys, report, measure }: Surroundings,
): IssuerIntrospection {
  const { timeout: timeoutMs, response, auth } = config
  const closing = new AbortController()
  const place = createPlace(config.endpoint, discovery, report)
  const signed = {
    issuer: issuer.issuer,
    clientId: auth.clientId ?? '',
    keys,
    algorithms: withAliases(issuer.algorithms),
    toleranceSeconds: (issuer.clockSkew + timeoutMs) / 1_000,
  }
  const introspection = createIntrospection({
    url: place.url,
    authentication: createAuthentication(issuer, config, discovery, closing.signal),
    signed: response === 'jwt' ? signed : undefined,
    allowHttp: issuer.allowHttp,
    timeoutMs,
    report,
    measure,
  })
  return {
    ask: introspection.ask,
    start: place.start,
    readiness: place.readiness,
    close() {
      closing.abort()
      place.close()
      introspection.close()
    },
  }
}

/** Where to ask: as configured, or as the metadata says, which is looked at again and again. */
function createPlace(
  endpoint: string | undefined,
  discovery: Discovery,
  report: Surroundings['report'],
) {
  let url = endpoint
  const refresher = createRefresher({
    timing: processTiming,
    async load() {
      url = await discovery.endpoint('introspection_endpoint')
      return ENDPOINT_SECONDS
    },
    onFailure: (cause, retrySeconds) => {
      const message = `the introspection endpoint is not known, next attempt in ${retrySeconds} s`
      report({ level: 'warn', message: `${message}: ${reason(cause)}` })
    },
  })
  const unknownBecause = () => refresher.failure() ?? 'the introspection endpoint is not known yet'
  return {
    url: () => {
      if (url === undefined) throw new Error(unknownBecause())
      return url
    },
    start: endpoint === undefined ? refresher.refresh : () => Promise.resolve(),
    readiness: (): Readiness =>
      url === undefined ? { ready: false, reason: unknownBecause() } : { ready: true },
    close: refresher.close,
  }
}

function createAuthentication(
  { issuer, allowHttp }: IssuerConfig,
  { auth, timeout: timeoutMs }: IntrospectionConfig,
  discovery: Discovery,
  signal: AbortSignal,
): ClientAuthentication {
  // The configuration was checked: what a method needs is there.
  const { clientId = '', clientSecret = '', tokenEndpoint, scope } = auth
  switch (auth.method) {
    case 'client_secret_basic':
      return createSecretBasic({ clientId, clientSecret })
    case 'client_secret_post':
      return createSecretPost({ clientId, clientSecret })
    case 'private_key_jwt':
      return createPrivateKeyJwt({
        clientId,
        audience: auth.audience ?? issuer,
        signingKey: readKey(auth),
      })
    case 'bearer':
      return createBearer(
        createOwnToken({
          tokenEndpoint: () =>
            tokenEndpoint === undefined
              ? discovery.endpoint('token_endpoint')
              : Promise.resolve(tokenEndpoint),
          authentication: createSecretBasic({ clientId, clientSecret }),
          scope,
          bounds: { allowHttp, timeoutMs, maxBytes: TOKEN_BYTES, signal },
        }),
      )
    case 'none':
      return createNoAuthentication(auth.clientId)
  }
}

function readKey({ privateKey = '', algorithm, keyId }: IntrospectionConfig['auth']): SigningKey {
  const key = readSigningKey(privateKey, algorithm)
  if (typeof key === 'string') throw new Error(`privateKey ${key}`)
  return { ...key, keyId: keyId ?? key.keyId }
}
