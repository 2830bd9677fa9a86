/** Key pairs an authorization server signs with. */
import { CompactSign, exportJWK, generateKeyPair, type CryptoKey, type JWK } from 'jose'

/** Members that replace the valid ones; undefined leaves one out. */
export type Overrides = Readonly<Record<string, unknown>>

export interface Signer {
  readonly alg: string
  readonly jwk: JWK & { readonly kid: string }
  readonly privateKey: CryptoKey
}

export async function createSigner(alg: string, kid: string): Promise<Signer> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  return { alg, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }, privateKey }
}

/** The payload as text, however malformed, in a JWS whose `typ` is at+jwt but for what is replaced. */
export function signWith(
  { alg, jwk, privateKey }: Signer,
  payload: string,
  header?: Overrides,
): Promise<string> {
  return new CompactSign(new TextEncoder().encode(payload))
    .setProtectedHeader({ typ: 'at+jwt', kid: jwk.kid, ...header, alg })
    .sign(privateKey)
}
