/** What `check --online` says of an authority. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { check } from '../../src/cli/check.ts'
import { runCommand } from '../support/io.ts'
import type { Authority } from '../support/jwks-server.ts'
import { GATEWAY } from '../support/registered-client.ts'

export type Issuer = Readonly<Record<string, unknown>>

export const METADATA = 'AS/.well-known/oauth-authorization-server'
export const OPENID = 'AS/.well-known/openid-configuration'
export const NO_DPOP =
  'note  does not say that it supports DPoP (dpop_signing_alg_values_supported)'
export const ONE_KEY = 'ok    1 key at AS/jwks: ES256 (kid key-1)'
export const TAKEN = 'ok    introspection at AS/introspect takes the credentials of the gateway'

const BASIC = { method: 'client_secret_basic', clientId: GATEWAY.id, clientSecret: GATEWAY.secret }

/** Members of `introspection`, with its credentials as the authority has them but for `auth`. */
export const introspection = (auth: Issuer = {}, more: Issuer = {}) => ({
  introspection: { auth: { ...BASIC, ...auth }, ...more },
})

/** A configuration with these issuers. JSON is YAML as well. */
export function writeConfig(t: Test, issuers: Readonly<Record<string, Issuer>>): string {
  const config = {
    // Without it check has a note on the line after its summary.
    server: { publicUrl: 'https://api.example.com' },
    issuers,
    routes: Object.keys(issuers).map((name) => ({
      name,
      path: `/${name}`,
      issuers: [name],
      upstream: 'http://127.0.0.1',
    })),
  }
  const file = join(t.testdir(), 'gateway.yaml')
  writeFileSync(file, JSON.stringify(config))
  return file
}

/** The lines about an authority that is the one issuer, with AS for its URL, and the exit code. */
export async function survey(
  t: Test,
  { issuer }: Pick<Authority, 'issuer'>,
  members: Issuer = {},
  as = issuer,
) {
  const file = writeConfig(t, { main: { issuer, audience: 'api', ...members } })
  const { code, stdout, stderr } = await runCommand(check, [file, '--online'])
  const [summary, headline, ...lines] = stdout.trimEnd().split('\n')
  t.equal(summary, `${file}: ok (1 route, 1 issuer)`)
  t.equal(headline, `issuer main: ${issuer}`)
  t.equal(stderr, code === 0 ? '' : 'dpop-gateway check: would fail: issuer main\n')
  t.notMatch(stdout, GATEWAY.secret)
  return { code, lines: lines.map((line) => line.replaceAll(as, 'AS').slice('  '.length)) }
}
