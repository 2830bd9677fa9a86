/** Whether the keys of an issuer can be had, and which of them verify access tokens. */
import { needsKeys } from '../compose/introspection.ts'
import { DOCUMENT_BOUNDS } from '../issuer/fetch-json.ts'
import { fetchKeys } from '../issuer/fetch-keys.ts'
import type { IdentifiedKey } from '../issuer/jwks.ts'
import { readSigningAlgorithms } from '../issuer/metadata.ts'
import { reason } from '../issuer/request.ts'
import type { AlgorithmName } from '../jws/algorithms.ts'
import { fail, note, ok, type Finding } from './finding.ts'
import { findsKeys, metadataOf, type Subject } from './subject.ts'

export async function surveyKeys(subject: Subject): Promise<readonly Finding[]> {
  const { config, discovery } = subject
  if (!needsKeys(config)) {
    return [note('needs no keys: it is asked about every token, and its answers are plain JSON')]
  }
  const metadata = metadataOf(subject)
  const isFound = findsKeys(config)
  if (isFound && !metadata) {
    return [note('keys not tried without the metadata: mend that, or set jwksUri if there is none')]
  }
  const published = isFound && metadata ? readSigningAlgorithms(metadata) : undefined
  try {
    const bounds = { ...DOCUMENT_BOUNDS, allowHttp: config.allowHttp }
    const { url, accepted, jwks } = await fetchKeys({ ...config, discovery }, bounds)
    return [
      ...(published ? [ok(`signs with ${list(accepted)}, of the algorithms configured`)] : []),
      ok(describeKeys(jwks.keys, url)),
      ...jwks.skipped.map((sentence) => note(`${sentence}; left out`)),
    ]
  } catch (cause) {
    const names = published && (list(published) || 'none the gateway knows')
    return [
      fail(`keys: ${reason(cause)}`),
      ...(names === undefined ? [] : [note(`says that it signs with ${names}`)]),
    ]
  }
}

function list(algorithms: Iterable<AlgorithmName>): string {
  return [...algorithms].join(', ')
}

function describeKeys(keys: readonly IdentifiedKey[], url: string): string {
  const algorithms = new Map<string, string[]>()
  const names = new Map<string, string>()
  for (const { kid, publicKey } of keys) {
    const id = JSON.stringify([kid, publicKey.thumbprint])
    names.set(id, kid === undefined ? 'no kid' : `kid ${kid}`)
    algorithms.set(id, [...(algorithms.get(id) ?? []), publicKey.algorithm])
  }
  const each = [...algorithms].map(([id, fits]) => `${fits.join(' ')} (${names.get(id) ?? ''})`)
  return `${each.length} ${each.length === 1 ? 'key' : 'keys'} at ${url}: ${each.join(', ')}`
}
