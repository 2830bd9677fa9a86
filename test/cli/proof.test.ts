import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { EmbeddedJWK, jwtVerify } from 'jose'
import t from 'tap'
import { keygen } from '../../src/cli/keygen.ts'
import { proof } from '../../src/cli/proof.ts'
import { runCommand } from '../support/io.ts'

const run = promisify(execFile)
const URL_OF_ORDER = 'https://api.example.com/orders/1'
const TOKEN = 'Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU'

const directory = t.testdir()
const key = join(directory, 'key.jwk')
t.before(async () => {
  await runCommand(keygen, ['--out', key])
  await writeFile(join(directory, 'token'), `${TOKEN}\n`)
})

async function sign(args: readonly string[], input?: string) {
  const { stdout } = await runCommand(proof, ['--key', key, ...args], input)
  return jwtVerify(stdout.trimEnd(), EmbeddedJWK, { typ: 'dpop+jwt' })
}

t.test('RFC 9449 §4.2: a proof for a GET, fresh each time', async (t) => {
  const { payload, protectedHeader } = await sign(['--url', URL_OF_ORDER])
  t.strictSame(Object.keys(payload).sort(), ['htm', 'htu', 'iat', 'jti'])
  t.match(payload, { htm: 'GET', htu: URL_OF_ORDER })
  t.ok(Math.abs(Number(payload.iat) - Date.now() / 1000) < 5)
  t.strictSame(Object.keys(protectedHeader.jwk ?? {}).sort(), ['crv', 'kty', 'x', 'y'])
  t.not((await sign(['--url', URL_OF_ORDER])).payload.jti, payload.jti)
})

t.test('§4.2: htu is without query and fragment', async (t) => {
  const { payload } = await sign(['--url', `${URL_OF_ORDER}?q=1&r#top`])
  t.equal(payload['htu'], URL_OF_ORDER)
})

t.test('§4.2: ath is the hash of the token, however it is given', async (t) => {
  const ath = createHash('sha256').update(TOKEN).digest('base64url')
  const ways = [
    { args: ['--token', TOKEN] },
    { args: ['--token', '-'], input: `${TOKEN}\n` },
    { args: ['--token-file', join(directory, 'token')] },
  ]
  for (const { args, input } of ways) {
    const { payload } = await sign(['--url', URL_OF_ORDER, ...args], input)
    t.equal(payload['ath'], ath, args.join(' '))
  }
})

t.test('every claim can be set', async (t) => {
  const claims = ['--method', 'post', '--nonce', 'n-1', '--jti', 'j', '--iat', '1700000000']
  const { payload } = await sign(['--url', URL_OF_ORDER, ...claims])
  t.match(payload, { htm: 'post', nonce: 'n-1', jti: 'j', iat: 1700000000 })
})

t.test('every kind of key that keygen makes', async (t) => {
  for (const alg of ['ES384', 'ES512', 'EdDSA', 'PS256', 'RS256']) {
    const path = join(directory, `${alg}.jwk`)
    await runCommand(keygen, ['--alg', alg, '--out', path])
    const { stdout } = await runCommand(proof, ['--key', path, '--url', URL_OF_ORDER])
    const { protectedHeader } = await jwtVerify(stdout.trimEnd(), EmbeddedJWK)
    t.equal(protectedHeader.alg, alg)
    t.notOk(/"(d|p|q|dp|dq|qi)"/.test(JSON.stringify(protectedHeader)), 'nothing private')
  }
})

t.test('an RSA key that names no algorithm signs PS256', async (t) => {
  const { stdout: jwk } = await runCommand(keygen, ['--alg', 'PS256'])
  const path = join(directory, 'rsa.jwk')
  await writeFile(path, jwk.replace(/,\s*"alg": "PS256"/, ''))
  const { stdout } = await runCommand(proof, ['--key', path, '--url', URL_OF_ORDER])
  t.equal((await jwtVerify(stdout.trimEnd(), EmbeddedJWK)).protectedHeader.alg, 'PS256')
})

t.test('--curl: a line that a shell reads back as it was meant', async (t) => {
  const url = `${URL_OF_ORDER}?q='a'&b=$HOME[1]#top`
  const args = ['--key', key, '--method', 'PUT', '--url', url, '--token', TOKEN, '--curl']
  const { stdout } = await runCommand(proof, args)
  t.equal(stdout.split('\n').length, 2, 'one line')
  // A shell function in place of curl prints what curl would have been given, a word a line.
  const shown = await run('sh', ['-c', `curl() { printf '%s\\n' "$@"; }; ${stdout}`])
  const words = shown.stdout.trimEnd().split('\n')
  const sent = words.find((word) => word.startsWith('DPoP: ')) ?? ''
  t.strictSame(words, [
    '--include',
    '--request',
    'PUT',
    '--globoff',
    '--header',
    `Authorization: DPoP ${TOKEN}`,
    '--header',
    sent,
    `${URL_OF_ORDER}?q=%27a%27&b=$HOME[1]`,
  ])
  const { payload } = await jwtVerify(sent.slice('DPoP: '.length), EmbeddedJWK)
  t.match(payload, { htm: 'PUT', htu: URL_OF_ORDER })
})

t.test('--curl: GET needs no method, HEAD has an option of its own', async (t) => {
  const args = ['--key', key, '--url', URL_OF_ORDER, '--curl']
  t.notMatch((await runCommand(proof, args)).stdout, '--request')
  const head = await runCommand(proof, [...args, '--method', 'HEAD'])
  t.match(head.stdout, /^curl --include --head --header 'DPoP: /)
})

t.test('bad input: one line that names the option, exit code 2', async (t) => {
  const file = async (name: string, content: string) => {
    await writeFile(join(directory, name), content)
    return ['--key', join(directory, name)]
  }
  const { stdout: jwk } = await runCommand(keygen, [])
  const good = ['--key', key, '--url', URL_OF_ORDER]
  const onlyUrl = ['--url', URL_OF_ORDER]
  const cases = [
    { args: onlyUrl, names: '--key: required' },
    { args: ['--key', '/nonexistent', ...onlyUrl], names: '--key: cannot read .*ENOENT' },
    { args: [...(await file('a', 'x')), ...onlyUrl], names: '--key: .* is not a JWK' },
    { args: [...(await file('b', '[]')), ...onlyUrl], names: '--key: .* is not a JWK' },
    {
      args: [...(await file('c', jwk.replace('"d"', '"e"'))), ...onlyUrl],
      names: '--key: .* holds no private key',
    },
    {
      args: [...(await file('d', jwk.replace('ES256', 'HS256'))), ...onlyUrl],
      names: '--key: .* is for an algorithm',
    },
    {
      args: [...(await file('e', jwk.replace('ES256', 'RS256'))), ...onlyUrl],
      names: '--key: .* is not a usable private key for RS256',
    },
    { args: ['--key', key], names: '--url: required' },
    { args: ['--key', key, '--url', '/orders'], names: '--url: not an absolute' },
    { args: ['--key', key, '--url', 'ftp://a/b'], names: '--url: not an absolute' },
    { args: ['--key', key, '--url', 'http://a/b c'], names: '--url: holds white space' },
    { args: ['--key', key, '--url', 'http://a\\b'], names: '--url: .*backslash' },
    { args: ['--key', key, '--url', 'http://u@a/b'], names: '--url: holds a user name' },
    { args: [...good, '--method', 'GE T'], names: '--method' },
    { args: [...good, '--method', ''], names: '--method' },
    { args: [...good, '--token', 'a b'], names: '--token: not an access token' },
    { args: [...good, '--token', '-'], names: '--token: not an access token' },
    { args: [...good, '--token-file', '/nonexistent'], names: '--token-file: .*ENOENT' },
    { args: [...good, '--token-file', key], names: '--token-file: not an access token' },
    { args: [...good, '--token', 'a', '--token-file', 'b'], names: '--token: .*--token-file' },
    { args: [...good, '--nonce', ''], names: '--nonce' },
    { args: [...good, '--jti', ''], names: '--jti' },
    { args: [...good, '--iat', '1.5'], names: '--iat' },
    { args: [...good, '--iat=-60'], names: '--iat' },
    { args: [...good, '--verbose'], names: "'--verbose'" },
    { args: [...good, '--token', '-x'], names: "'--token'" },
  ]
  for (const { args, names } of cases) {
    const { code, stdout, stderr } = await runCommand(proof, args)
    t.match({ code, stdout }, { code: 2, stdout: '' }, names)
    t.match(stderr, new RegExp(`^dpop-gateway proof: .*${names}.*\n$`))
  }
})
