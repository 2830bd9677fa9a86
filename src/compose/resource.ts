/**
 * The protected resources of a configuration, and what is published about them (RFC 9728). A resource
 * is a public URL with the fixed beginning of the path of a route; each public URL itself is one too.
 */
import type { Config, RouteConfig } from '../config/schema.ts'
import { WELL_KNOWN, type MetadataDocument } from '../http/resource-metadata.ts'
import { withAliases } from '../jws/algorithms.ts'

/** All documents, but those in whose place the operator has put a route. */
export function compileMetadata(config: Config): readonly MetadataDocument[] {
  return publicUrlsOf(config).flatMap((publicUrl) => {
    const routes = config.routes.filter((route) => isAt(publicUrl, route, config))
    const documents = documentsOf(publicUrl, routes.filter(isProtected), config)
    // Few, if any: of many routes not each is compared with each document.
    const own = routes.filter(({ path }) => path.startsWith(WELL_KNOWN))
    return documents.filter(({ path }) => !own.some((route) => isInPlaceOf(publicUrl, path, route)))
  })
}

/** The URL of the document of a route, by public URL. None where it has none. */
export function metadataUrls(route: RouteConfig, config: Config): ReadonlyMap<string, string> {
  const publicUrls = isProtected(route) ? publicUrlsOf(config) : []
  return new Map(
    publicUrls
      .filter((publicUrl) => isAt(publicUrl, route, config))
      .map((publicUrl) => {
        const path = metadataPath(publicUrl, resourcePath(route))
        return [publicUrl, new URL(publicUrl).origin + path]
      }),
  )
}

function documentsOf(
  publicUrl: string,
  routes: readonly RouteConfig[],
  config: Config,
): readonly MetadataDocument[] {
  const byPath = new Map<string, RouteConfig[]>()
  for (const route of routes) {
    const path = resourcePath(route)
    byPath.set(path, [...(byPath.get(path) ?? []), route])
  }
  const resources = [...byPath].map(([path, own]) => ({ path, own, named: own }))
  // A client that knows the host alone learns there what all that is behind it asks for.
  const whole = { path: '', own: [...routes], named: [] }
  if (routes.length > 0 && !byPath.has('')) resources.push(whole)
  return resources.map(({ path, own, named }) => ({
    publicUrl,
    path: metadataPath(publicUrl, path),
    content: present({
      resource: publicUrl + path,
      ...demands(own, config),
      ...title(named, config),
    }),
  }))
}

/** §2. Of several routes: what gets a client into one of them, and proofs that all of them take. */
function demands(routes: readonly RouteConfig[], { issuers }: Config) {
  const names = routes.flatMap((route) => route.issuers ?? Object.keys(issuers))
  const [first = [], ...others] = routes.map(({ dpop }) => withAliases(dpop.algorithms))
  const takesBearer = routes.some(({ access }) => access === 'dpop-or-bearer')
  return {
    authorization_servers: distinct(names.flatMap((name) => issuers[name]?.issuer ?? [])),
    scopes_supported: distinct(routes.flatMap(({ scopes }) => scopes)),
    dpop_bound_access_tokens_required: !takesBearer,
    dpop_signing_alg_values_supported: [...first].filter((it) =>
      others.every((set) => set.has(it)),
    ),
    // §2: of bearer tokens alone. One bound with DPoP comes in the header in any case.
    bearer_methods_supported: takesBearer ? ['header'] : [],
  }
}

/** The first that says it, as all of them are one resource; else what is said for all resources. */
function title(routes: readonly RouteConfig[], { resource }: Config) {
  const said = [...routes.map((route) => route.resource ?? {}), resource]
  return {
    resource_name: said.map(({ name }) => name).find((it) => it !== undefined),
    resource_documentation: said.map((it) => it.documentation).find((it) => it !== undefined),
  }
}

/** §3.2: what has no value is left out. */
function present(parameters: Readonly<Record<string, unknown>>) {
  const isSaid = (value: unknown) => (Array.isArray(value) ? value.length > 0 : value !== undefined)
  return Object.fromEntries(Object.entries(parameters).filter(([, value]) => isSaid(value)))
}

/** None without `server.publicUrl`: it would be made from Host, which is the client's. */
function publicUrlsOf({ server, resource }: Config): readonly string[] {
  const { publicUrl = [] } = server
  if (!resource.metadata) return []
  return typeof publicUrl === 'string' ? [publicUrl] : publicUrl
}

function isProtected({ access }: RouteConfig): boolean {
  return access === 'dpop' || access === 'dpop-or-bearer'
}

/** One public URL stands for every host; of several, a route for one host is at that one alone. */
function isAt(publicUrl: string, { host }: RouteConfig, { server }: Config): boolean {
  if (host === undefined || typeof server.publicUrl === 'string') return true
  return new URL(publicUrl).hostname === host
}

/** As far as it is fixed; empty where that is the whole host. */
function resourcePath({ path }: RouteConfig): string {
  const fixed = path.replace(/\/(:|\*$).*$/, '')
  return fixed === '/' ? '' : fixed
}

/** §3.1: the well-known path stands between the host and the path of the resource. */
function metadataPath(publicUrl: string, path: string): string {
  return WELL_KNOWN + publicUrl.slice(new URL(publicUrl).origin.length) + path
}

/** Whether the operator serves this document himself, by this route for such documents alone. */
function isInPlaceOf(publicUrl: string, path: string, route: RouteConfig): boolean {
  const isElsewhere = route.host !== undefined && route.host !== new URL(publicUrl).hostname
  if (isElsewhere) return false
  const wanted = route.path.split('/')
  const given = path.split('/')
  const isBelow = wanted.at(-1) === '*'
  if (isBelow ? given.length < wanted.length : given.length !== wanted.length) return false
  return wanted.every((it, at) => it.startsWith(':') || it === given[at] || (isBelow && it === '*'))
}

function distinct(values: readonly string[]): readonly string[] {
  return [...new Set(values)]
}
