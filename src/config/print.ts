/** The effective configuration as YAML. Secrets aside, loading it again gives the same Config. */

import { stringify } from 'yaml'
import { z } from 'zod'
import { USELESS_KEYS } from './check-route.ts'
import type { Loaded } from './load.ts'
import type { KeyPath } from './problem.ts'
import { Settings, type Config } from './schema.ts'
import { redactPassword } from './url.ts'

export function printConfig({ config, isSecret }: Loaded): string {
  return stringify(redact(encode(config), [], isSecret), { aliasDuplicateObjects: false })
}

function encode(config: Config): unknown {
  // What the named files hold stands in them alone.
  const own = Object.fromEntries(Object.entries(config).filter(([key]) => key !== 'pem'))
  const settings = z.encode(Settings, structuredClone(own) as z.output<typeof Settings>)
  return { ...settings, routes: settings.routes.map(omitUseless) }
}

/** Saying them would be refused as rules without effect. */
function omitUseless(route: z.input<typeof Settings>['routes'][number]) {
  if (route.access !== 'public' && route.access !== 'proof') return route
  const names: readonly string[] = USELESS_KEYS[route.access]
  return Object.fromEntries(Object.entries(route).filter(([key]) => !names.includes(key)))
}

/** Not to be shown, wherever their value came from. */
const SECRETS = ['clientSecret', 'privateKey']
const REPLAY_SECRETS = ['password', 'sentinelPassword']

function redact(value: unknown, path: KeyPath, isSecret: Loaded['isSecret']): unknown {
  if (path[0] === 'issuers' && SECRETS.includes(String(path.at(-1)))) return '(redacted)'
  if (path[0] === 'replay' && REPLAY_SECRETS.includes(String(path.at(-1)))) return '(redacted)'
  if (path[0] === 'nonce' && path[1] === 'secrets' && path.length === 3) return '(redacted)'
  if (path[0] === 'assertion' && path[1] === 'keys' && path.length === 3) return '(redacted)'
  // What a route has from `dpop` and `identity` stands there in the file, two steps up.
  if (isSecret(path) || isSecret(path.slice(2))) return '(redacted)'
  if (Array.isArray(value)) {
    return value.map((item: unknown, index) => redact(item, [...path, index], isSecret))
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(
      ([key, item]: [string, unknown]) => [key, redact(item, [...path, key], isSecret)] as const,
    )
    return Object.fromEntries(entries)
  }
  if (typeof value !== 'string') return value
  const shown = path.join('.') === 'replay.url' ? redactPassword(value) : value
  return shown.split('${').join('$${')
}
