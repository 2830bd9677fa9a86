/**
 * Base64url as RFC 7515 §2 has it: no padding, no white space, no other alphabet, and no bits set
 * that decoding would drop, so that one value has one spelling. `Buffer.from` ignores all of these.
 */
const CANONICAL = /^(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?$/

export function isBase64url(text: string): boolean {
  return text !== '' && CANONICAL.test(text)
}

/** The bytes, or undefined where the text is empty or not canonical. */
export function decodeBase64url(text: string): Buffer | undefined {
  return isBase64url(text) ? Buffer.from(text, 'base64url') : undefined
}
