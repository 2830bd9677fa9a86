/** What the metadata of an issuer says, and whether it can be had. */
import { text } from '../jws/compact.ts'
import { fail, note, ok, type Finding } from './finding.ts'
import { findsEndpoints, findsKeys, type Subject } from './subject.ts'

export function surveyMetadata({ config, published }: Subject): readonly Finding[] {
  if (typeof published === 'string') {
    return findsKeys(config) || findsEndpoints(config)
      ? [fail(`metadata: ${published}`)]
      : [note(`no metadata, and none is needed: ${published}`)]
  }
  const { url, metadata } = published
  // RFC 9449 §5.1.
  const proofs = listOf(metadata['dpop_signing_alg_values_supported'])
  const endpoint = text(metadata['introspection_endpoint'])
  return [
    ok(`metadata from ${url}`),
    note(
      proofs
        ? `supports DPoP, with proofs signed by ${proofs.join(', ')}`
        : 'does not say that it supports DPoP (dpop_signing_alg_values_supported)',
    ),
    ...(endpoint !== '' && !config.introspection
      ? [note(`its opaque tokens are refused unless introspection is configured (${endpoint})`)]
      : []),
  ]
}

/** The texts of a list; undefined where there is none. */
export function listOf(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined
  const texts = value.map(text).filter((item) => item !== '')
  return texts.length > 0 ? texts : undefined
}
