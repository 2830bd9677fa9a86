/** Proofs that are wrong below the level of JSON, with a signature that is right nevertheless. */
import type { Client } from '../support/client.ts'

export interface Forgery {
  /** Rewrites the JSON text of the header. */
  readonly header?: (json: string) => string | Uint8Array
  /** Rewrites the JSON text of the payload. */
  readonly payload?: (json: string) => string | Uint8Array
  /** Rewrites a part after base64url. */
  readonly headerPart?: (part: string) => string
  readonly payloadPart?: (part: string) => string
  /** Rewrites the part of the signature. */
  readonly signaturePart?: (part: string) => string
}

const same = <T>(part: T) => part

/** Takes a proof of an ES256 client apart, rewrites it and signs it anew. */
export async function forge(proof: string, client: Client, forgery: Forgery): Promise<string> {
  const [header = '', payload = ''] = proof.split('.')
  const { headerPart = same, payloadPart = same, signaturePart = same } = forgery
  const input = [
    headerPart(encode((forgery.header ?? same)(decode(header)))),
    payloadPart(encode((forgery.payload ?? same)(decode(payload)))),
  ].join('.')
  const parameters = { name: 'ECDSA', hash: 'SHA-256' }
  const bytes = Buffer.from(input, 'latin1')
  const signature = await crypto.subtle.sign(parameters, client.privateKey, bytes)
  return `${input}.${signaturePart(Buffer.from(signature).toString('base64url'))}`
}

export function encode(value: string | Uint8Array): string {
  return Buffer.from(value).toString('base64url')
}

function decode(part: string): string {
  return Buffer.from(part, 'base64url').toString()
}

/** JSON text with white space at its end, so that its last base64url character has unused bits. */
export function withSpareBits(json: string): string {
  return json + ' '.repeat((((1 - Buffer.byteLength(json)) % 3) + 3) % 3)
}

/** Sets one of the bits that a decoder drops. Expects a part whose last character has some. */
export function setSpareBit(part: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return part.slice(0, -1) + alphabet.charAt(alphabet.indexOf(part.slice(-1)) + 1)
}
