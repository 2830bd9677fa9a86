/** JWS compact serialization (RFC 7515 §7.1) read strictly. It says nothing about the signature. */
import { decodeBase64url } from './base64url.ts'
import { parseJsonObject, type JsonObject } from './json.ts'

export interface Segments {
  readonly header: string
  readonly payload: string
  /** The text that is signed: header and payload with the dot between them. */
  readonly signingInput: string
  readonly signature: string
}

/** The three parts of a compact JWS, not decoded; undefined where there are not three. */
export function splitCompact(value: string): Segments | undefined {
  const first = value.indexOf('.')
  const second = value.indexOf('.', first + 1)
  if (first < 1 || second < 0 || value.includes('.', second + 1)) return undefined
  return {
    header: value.slice(0, first),
    payload: value.slice(first + 1, second),
    signingInput: value.slice(0, second),
    signature: value.slice(second + 1),
  }
}

/** The JSON object a segment holds; undefined where it is not canonical base64url of one. */
export function decodeSegment(segment: string): JsonObject | undefined {
  const bytes = decodeBase64url(segment)
  return bytes && parseJsonObject(bytes)
}

/**
 * Whether the header asks for something this gateway does not do: an extension it must understand
 * (`crit`, RFC 7515 §4.1.11), an unencoded payload (`b64`, RFC 7797), compression (`zip`) or a
 * nested JWT (`cty`, RFC 7519 §5.2).
 */
export function needsExtension(header: JsonObject): boolean {
  return (
    'crit' in header ||
    header['b64'] === false ||
    'zip' in header ||
    /^(application\/)?jwt$/i.test(text(header['cty']))
  )
}

/** A string member as it is; anything else as the empty string, which equals nothing expected. */
export function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
