/** What an operator may set and should know of: settings that make the gateway check less. */
import { isIPv6 } from 'node:net'
import { isLoopback } from '../loopback.ts'
import { certificateNotes } from './certificates.ts'
import type { Config } from './schema.ts'

/** Sentences, for the log at start and for `check`. Empty where nothing is loosened. */
export function looseSettings(config: Config): readonly string[] {
  return [
    ...ofServer(config),
    ...ofIssuers(config),
    ...ofReplay(config),
    ...ofAssertions(config),
    ...ofRoutes(config),
    ...certificateNotes(config),
  ]
}

function ofServer({ server, admin }: Config): string[] {
  const { publicUrl, trustedProxies, tls } = server
  const anybody = trustedProxies.filter((range) => range.endsWith('/0'))
  return [
    ...(publicUrl === undefined
      ? ['server.publicUrl is not set: htu is compared with the Host of the request']
      : []),
    ...(tls && [publicUrl].flat().some((url) => url?.startsWith('http:'))
      ? ['server.publicUrl is http, but clients are served https: no proof of theirs fits']
      : []),
    ...anybody.map((range) => `server.trustedProxies: ${range} is everybody`),
    ...('host' in admin.listen && !isLoopback(urlOf(admin.listen.host))
      ? ['admin.listen: more than this machine can reach it']
      : []),
  ]
}

function urlOf(host: string): URL {
  return new URL(`http://${isIPv6(host) ? `[${host}]` : host}`)
}

function ofIssuers({ issuers }: Config): string[] {
  return Object.entries(issuers).flatMap(
    ([name, { audience, allowHttp, introspection, tokenType }]) => [
      ...(audience === 'none' ? [`issuers.${name}: tokens for any audience are accepted`] : []),
      ...(audience === 'none' && introspection && tokenType === 'compatible'
        ? [
            `issuers.${name}: a bound refresh token may pass for an access token (tokenType: strict)`,
          ]
        : []),
      ...(allowHttp ? [`issuers.${name}: it may be spoken to over plain http`] : []),
    ],
  )
}

function ofAssertions({ assertion, routes }: Config): string[] {
  const isUsed = routes.some(({ identity }) => identity.assertion)
  return isUsed && assertion.keys === undefined
    ? [
        'assertion.keys is not set: assertions are signed with a key made at start, not to be shared',
      ]
    : []
}

function ofReplay({ replay }: Config): string[] {
  if (replay.store !== 'redis') return []
  return [
    ...(replay.onOutage !== 'refuse'
      ? ['replay.onOutage: while Redis is out of reach a proof can be used once at every instance']
      : []),
    ...(replay.unsafeEviction
      ? ['replay.unsafeEviction: a proof that Redis evicts can be used again']
      : []),
  ]
}

function ofRoutes({ routes, server }: Config): string[] {
  return routes.flatMap(({ name, access, host, observe, debug, identity, cors }) => [
    ...(access === 'public' ? [`route ${name} is public: nothing is checked`] : []),
    ...(access === 'dpop-or-bearer'
      ? [`route ${name} takes bearer tokens: whoever holds an unbound one can use it`]
      : []),
    ...(access === 'proof'
      ? [`route ${name} asks for no token: whoever makes a key of their own can use it`]
      : []),
    ...(observe ? [`route ${name} only observes: NOTHING IS REFUSED`] : []),
    ...(observe && access !== 'proof' && identity.token === 'drop'
      ? [`route ${name} observes, but its API sees no token (identity.token: drop)`]
      : []),
    ...(cors?.origins.includes('*') ? [`route ${name} can be used by pages of any origin`] : []),
    ...(debug ? [`route ${name} says in its refusals what was expected (debug)`] : []),
    ...(host !== undefined && access !== 'public' && typeof server.publicUrl === 'string'
      ? [`route ${name} is for one host, but htu is compared with server.publicUrl on all`]
      : []),
  ])
}
