/** `dpop-gateway proof`: a DPoP proof (RFC 9449 §4.2) for a request made by hand. */
import { createHash, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { SignJWT } from 'jose'
import { commandError, createCommand, errorCode, type Io } from './command.ts'
import { curlLine } from './curl.ts'
import { readPrivateKey } from './private-key.ts'

interface TokenOptions {
  readonly token?: string | undefined
  readonly 'token-file'?: string | undefined
}

interface Claims {
  readonly method: string
  readonly url: URL
  readonly token: string | undefined
  readonly nonce?: string | undefined
  readonly jti?: string | undefined
  readonly iat?: string | undefined
}

export const proof = createCommand({
  name: 'proof',
  usage: `usage: dpop-gateway proof --key FILE --url URL [option ...]

Prints a proof for one request, signed with a key that \`dpop-gateway keygen\` made.

  --key FILE          The private key, a JWK.
  --url URL           The URL of the request. Query and fragment are left out of the proof.
  --method METHOD     The method of the request. Default is GET.
  --token TOKEN       The access token the proof goes with; - reads it from stdin.
  --token-file FILE   The same, read from a file.
  --nonce NONCE       The last DPoP-Nonce the server sent.
  --jti JTI           Default is a random one.
  --iat SECONDS       Default is now, in seconds since 1970.
  --curl              Prints the whole request as a curl command.
`,
  options: {
    key: { type: 'string' },
    url: { type: 'string' },
    method: { type: 'string', default: 'GET' },
    token: { type: 'string' },
    'token-file': { type: 'string' },
    nonce: { type: 'string' },
    jti: { type: 'string' },
    iat: { type: 'string' },
    curl: { type: 'boolean' },
  },
  async run({ key, ...values }, io) {
    const url = readUrl(values.url)
    // RFC 9110 §5.6.2: a method is a token; it is case-sensitive, so it is taken as it is.
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(values.method)) {
      throw commandError('--method: not an HTTP method')
    }
    if (key === undefined) throw commandError('--key: required')
    const { privateKey, header } = await readPrivateKey(key)
    const token = await readToken(values, io)
    const signed = await new SignJWT(readClaims({ ...values, url, token }))
      .setProtectedHeader({ typ: 'dpop+jwt', ...header })
      .sign(privateKey)
    const { method, curl } = values
    io.stdout.write(`${curl ? curlLine({ method, url, token, proof: signed }) : signed}\n`)
  },
})

function readUrl(value: string | undefined): URL {
  if (value === undefined) throw commandError('--url: required')
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw commandError('--url: not an absolute http or https URL')
  }
  // URL drops or rewrites these, and the proof would be for another URL than the one typed.
  if (/[\s\\]/.test(value)) throw commandError('--url: holds white space or a backslash')
  if (url.username !== '' || url.password !== '') throw commandError('--url: holds a user name')
  url.hash = '' // Never part of a request (RFC 9110 §7.1).
  return url
}

async function readToken(options: TokenOptions, { stdin }: Io): Promise<string | undefined> {
  const { token, 'token-file': file } = options
  if (token !== undefined && file !== undefined) {
    throw commandError('--token: cannot be used together with --token-file')
  }
  const name = file === undefined ? '--token' : '--token-file'
  const value =
    file !== undefined ? await readText(file) : token === '-' ? await text(stdin) : token
  if (value === undefined) return undefined
  const trimmed = value.trim()
  // RFC 9110 §11.2, token68: what the Authorization header can carry. Never repeated in the error.
  if (!/^[\w.~+/-]+=*$/.test(trimmed)) throw commandError(`${name}: not an access token`)
  return trimmed
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw commandError(`--token-file: cannot read ${path} (${errorCode(error)})`)
  }
}

function readClaims({ method, url, token, nonce, jti, iat }: Claims): Record<string, unknown> {
  if (jti === '') throw commandError('--jti: empty')
  if (iat !== undefined && !/^\d{1,15}$/.test(iat)) throw commandError('--iat: not whole seconds')
  // RFC 9449 §8.1, NQCHAR: what the DPoP-Nonce header can carry.
  if (nonce !== undefined && !/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(nonce)) {
    throw commandError('--nonce: not a nonce')
  }
  return {
    jti: jti ?? randomUUID(),
    htm: method,
    htu: `${url.origin}${url.pathname}`,
    iat: iat === undefined ? Math.floor(Date.now() / 1000) : Number(iat),
    ...(token !== undefined && { ath: createHash('sha256').update(token).digest('base64url') }),
    ...(nonce !== undefined && { nonce }),
  }
}
