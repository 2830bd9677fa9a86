import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { calculateJwkThumbprint, importJWK, type JWK } from 'jose'
import t from 'tap'
import { keygen } from '../../src/cli/keygen.ts'
import { runCommand } from '../support/io.ts'

const KEY_TYPES = {
  ES256: 'EC',
  ES384: 'EC',
  ES512: 'EC',
  EdDSA: 'OKP',
  PS256: 'RSA',
  RS256: 'RSA',
} as const

for (const [alg, kty] of Object.entries(KEY_TYPES)) {
  t.test(`${alg}: a private JWK on stdout, its thumbprint on stderr`, async (t) => {
    const { code, stdout, stderr } = await runCommand(keygen, ['--alg', alg])
    t.equal(code, 0)
    const jwk = JSON.parse(stdout) as JWK
    t.match(jwk, { kty, alg, d: String })
    t.match(await importJWK(jwk, alg), { type: 'private' })
    t.equal(stderr, `jkt: ${await calculateJwkThumbprint(jwk)}\n`)
  })
}

t.test('ES256 is the default', async (t) => {
  const { stdout } = await runCommand(keygen, [])
  t.match(JSON.parse(stdout), { alg: 'ES256', crv: 'P-256' })
})

t.test('a file only its owner can read, never overwritten', async (t) => {
  const path = join(t.testdir(), 'key.jwk')
  const first = await runCommand(keygen, ['--out', path])
  t.match(first, { code: 0, stdout: '', stderr: /^jkt: [\w-]{43}\n$/ })
  t.equal((await stat(path)).mode & 0o777, 0o600)

  const before = await readFile(path, 'utf8')
  const second = await runCommand(keygen, ['--out', path])
  t.match(second, { code: 2, stdout: '' })
  t.equal(
    second.stderr,
    `dpop-gateway keygen: --out: ${path} exists already and is never overwritten\n`,
  )
  t.equal(await readFile(path, 'utf8'), before)
})

t.test('bad input: one line that names the option, exit code 2', async (t) => {
  const cases = [
    { args: ['--alg', 'HS256'], names: '--alg: not one of ES256' },
    { args: ['--out', '/nonexistent/key.jwk'], names: '--out: cannot write .* \\(ENOENT\\)' },
    { args: ['--alg'], names: "'--alg <value>'" },
    { args: ['--output', 'key.jwk'], names: "'--output'" },
    { args: ['key.jwk'], names: "'key.jwk'" },
    { args: ['--alg', 'ES256', '--alg', 'ES384'], names: '--alg: given more than once' },
  ]
  for (const { args, names } of cases) {
    const { code, stdout, stderr } = await runCommand(keygen, args)
    t.match({ code, stdout }, { code: 2, stdout: '' })
    t.match(stderr, new RegExp(`^dpop-gateway keygen: .*${names}.*\n$`), args.join(' '))
  }
})

t.test('--help', async (t) => {
  const { code, stdout } = await runCommand(keygen, ['--help'])
  t.match({ code, stdout }, { code: 0, stdout: /^usage: dpop-gateway keygen/ })
})
