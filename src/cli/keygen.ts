/** `dpop-gateway keygen`: a new private key for signing proofs, as a JWK (RFC 7517). */
import { writeFile } from 'node:fs/promises'
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose'
import { commandError, createCommand, errorCode } from './command.ts'

const ALGORITHMS = ['ES256', 'ES384', 'ES512', 'EdDSA', 'PS256', 'RS256']

export const keygen = createCommand({
  name: 'keygen',
  usage: `usage: dpop-gateway keygen [--alg ALG] [--out FILE]

Makes a private key for signing proofs. Its thumbprint (jkt) goes to stderr.

  --alg ALG    ${ALGORITHMS.join(', ')}. Default is ES256.
  --out FILE   A new file, readable by you alone. Default is stdout.
`,
  options: { alg: { type: 'string', default: 'ES256' }, out: { type: 'string' } },
  async run({ alg, out }, { stdout, stderr }) {
    if (!ALGORITHMS.includes(alg)) throw commandError(`--alg: not one of ${ALGORITHMS.join(', ')}`)
    const { privateKey } = await generateKeyPair(alg, { extractable: true })
    // alg is kept with the key, for an RSA key alone does not say whether it signs PS256 or RS256.
    const jwk = { ...(await exportJWK(privateKey)), alg }
    const text = `${JSON.stringify(jwk, undefined, 2)}\n`
    if (out === undefined) stdout.write(text)
    else await writeNew(out, text)
    stderr.write(`jkt: ${await calculateJwkThumbprint(jwk)}\n`)
  },
})

/** Writes a file that must not exist yet: a key that is overwritten cannot be had back. */
async function writeNew(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    const code = errorCode(error)
    throw commandError(
      code === 'EEXIST'
        ? `--out: ${path} exists already and is never overwritten`
        : `--out: cannot write ${path} (${code})`,
    )
  }
}
