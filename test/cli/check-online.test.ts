/** `check --online`: what it prints where, and its exit code. What it finds is in test/survey. */
import t from 'tap'
import { check } from '../../src/cli/check.ts'
import { runCommand } from '../support/io.ts'
import { createAuthority } from '../support/jwks-server.ts'
import { GATEWAY } from '../support/registered-client.ts'
import { introspection, writeConfig } from '../survey/checked.ts'

t.test('two issuers, and --print', async (t) => {
  const [slow, quick] = [await createAuthority(t), await createAuthority(t)]
  slow.introspection.behave('hang')
  const members = { audience: 'api', ...introspection({}, { timeout: '200ms' }) }
  const file = writeConfig(t, {
    zeta: { issuer: slow.issuer, ...members },
    alpha: { issuer: quick.issuer, ...members },
  })
  const { code, stdout, stderr } = await runCommand(check, [file, '--online', '--print'])
  t.equal(code, 2)
  t.match(stdout, /^issuers:$/m)
  t.notMatch(stdout, 'metadata from')
  t.notMatch(stdout + stderr, GATEWAY.secret)
  const lines = stderr.trimEnd().split('\n')
  t.equal(lines[0], `${file}: ok (2 routes, 2 issuers)`)
  t.strictSame(
    lines.filter((line) => line.startsWith('issuer ')),
    [`issuer zeta: ${slow.issuer}`, `issuer alpha: ${quick.issuer}`],
  )
  t.equal(lines.at(-1), 'dpop-gateway check: would fail: issuer zeta')
})

t.test('no issuer is asked unless --online is given, nor with a mistake in the file', async (t) => {
  const authority = await createAuthority(t)
  const { issuer } = authority
  const good = writeConfig(t, { main: { issuer, audience: 'api' } })
  t.match(await runCommand(check, [good]), { code: 0 })
  const bad = writeConfig(t, { main: { issuer, audiences: 'api' } })
  t.match(await runCommand(check, [bad, '--online']), { code: 2, stdout: '' })
  t.strictSame(authority.requests, { metadata: 0, jwks: 0, elsewhere: 0 })
})
