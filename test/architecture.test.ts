/** The shape of src: who may import whom, which library has which owner, and how long a file is. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import t from 'tap'

const SRC = join(import.meta.dirname, '../src')

/**
 * The parts of src from the bottom up: a part imports from those named beside it and from nothing
 * else, of types no more than of values. As each names parts above itself in the list alone, this
 * is the layering too. The token an access decision is about is a part of its own, because `dpop`
 * must know what one is and not how it is verified; so is the URL of Redis, of which `config` must
 * know what is wrong with it and not how to connect.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  denial: [],
  jws: [],
  loopback: [],
  breaker: [],
  eventual: [],
  deadline: [],
  backlog: [],
  overload: [],
  log: ['backlog'],
  'token/access-token': ['eventual'],
  'redis/address': [],
  issuer: ['denial', 'jws', 'loopback', 'breaker', 'deadline'],
  token: ['denial', 'jws', 'token/access-token', 'issuer'],
  dpop: ['denial', 'eventual', 'jws', 'token/access-token'],
  gate: ['denial', 'eventual', 'dpop', 'token', 'token/access-token'],
  'proof-gate': ['denial', 'eventual', 'dpop', 'gate'],
  config: ['jws', 'loopback', 'redis/address'],
  assertion: ['jws', 'token/access-token', 'gate', 'config'],
  redis: ['denial', 'breaker', 'deadline', 'dpop', 'redis/address'],
  http: ['denial', 'eventual', 'dpop', 'token/access-token', 'gate'],
  admin: ['denial', 'http'],
  'compose/introspection': ['jws', 'issuer', 'config'],
  compose: [
    ...['denial', 'jws', 'overload', 'log', 'token/access-token', 'issuer', 'token', 'dpop'],
    ...['gate', 'proof-gate', 'config', 'assertion', 'redis', 'http', 'admin'],
    'compose/introspection',
  ],
  reload: ['log', 'config'],
  'end-on-bug': ['log'],
  gateway: ['log', 'config', 'http', 'admin', 'compose', 'reload'],
  workers: [
    ...['deadline', 'log', 'config', 'assertion', 'http', 'admin'],
    ...['compose', 'reload', 'end-on-bug', 'gateway'],
  ],
  survey: ['denial', 'jws', 'issuer', 'config', 'compose/introspection'],
  index: ['denial', 'log', 'config', 'gateway'],
  cli: ['jws', 'log', 'config', 'end-on-bug', 'gateway', 'workers', 'survey'],
  main: ['cli'],
}

/** Sharper than the part where only a file or two of it are meant. */
const OWNERS: Readonly<Record<string, readonly string[]>> = {
  ioredis: ['redis'],
  pino: ['log.ts'],
  'prom-client': ['admin'],
  'find-my-way': ['http/routes.ts'],
  'http-proxy': ['http/websocket/dial.ts'],
  undici: ['http', 'issuer'],
  yaml: ['config'],
  zod: ['config'],
  'fastest-levenshtein': ['config'],
  jose: ['issuer', 'cli'],
  'lru-cache': ['token'],
}

/** What decides does no I/O and has no clock: it gets by with these modules of Node. */
const PURE = ['denial', 'eventual', 'jws', 'loopback', 'dpop', 'gate', 'proof-gate', 'breaker']
const PURE_IMPORTS = ['node:buffer', 'node:crypto', 'node:net', 'node:url']

interface File {
  /** Path below src. */
  readonly path: string
  readonly text: string
  /** Paths below src. */
  readonly imports: readonly string[]
  /** Names of packages and of Node's modules. */
  readonly packages: readonly string[]
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.ts'))
  .map(readFile)

function readFile(path: string): File {
  const text = readFileSync(join(SRC, path), 'utf8')
  const names = [...text.matchAll(/(?:^|\s)(?:from|import)\s*\(?\s*'([^']+)'/g)].map(
    ([, name = '']) => name,
  )
  const isOwn = (name: string) => name.startsWith('.')
  return {
    path,
    text,
    imports: names.filter(isOwn).map((name) => posix.join(posix.dirname(path), name)),
    packages: names.filter((name) => !isOwn(name)),
  }
}

function partOf(path: string): string {
  const name = path.replace(/\.ts$/, '')
  return Object.hasOwn(MAY_IMPORT, name) ? name : (name.split('/')[0] ?? '')
}

t.test('the imports are read', async (t) => {
  t.ok(files.length > 50)
  t.match(files.find(({ path }) => path === 'gate.ts')?.imports, ['dpop/bound-key.ts'])
  const known = new Set(files.map(({ path }) => path))
  const unknown = files.flatMap(({ imports }) => imports.filter((path) => !known.has(path)))
  t.strictSame(unknown, [])
})

t.test('a part imports from those it may', async (t) => {
  for (const { path, imports } of files) {
    const part = partOf(path)
    const allowed = MAY_IMPORT[part]
    if (!allowed) t.fail(`src/${path} belongs to no part of the list`)
    const wrong = imports.filter((it) => ![part, ...(allowed ?? [])].includes(partOf(it)))
    t.strictSame(wrong, [], `src/${path}`)
  }
})

t.test('the list points down only, and allows nothing that nobody needs', async (t) => {
  const order = Object.keys(MAY_IMPORT)
  for (const [at, part] of order.entries()) {
    const allowed = [...(MAY_IMPORT[part] ?? [])]
    t.strictSame(
      allowed.filter((it) => order.indexOf(it) >= at),
      [],
      `${part} is above`,
    )
    const used = files.filter(({ path }) => partOf(path) === part).flatMap((it) => it.imports)
    t.strictSame(
      allowed.filter((it) => !used.map(partOf).includes(it)),
      [],
      `${part} needs`,
    )
  }
})

t.test('no file imports itself by any way around', async (t) => {
  const importsOf = new Map(files.map(({ path, imports }) => [path, imports]))
  const done = new Set<string>()
  const visit = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) t.fail([...way.slice(way.indexOf(path)), path].join(' -> '))
    if (done.has(path) || way.includes(path)) return
    for (const next of importsOf.get(path) ?? []) visit(next, [...way, path])
    done.add(path)
  }
  for (const path of importsOf.keys()) visit(path, [])
  t.equal(done.size, files.length)
})

t.test('each library has one owner', async (t) => {
  for (const { path, packages } of files) {
    for (const name of packages.filter((it) => !it.startsWith('node:'))) {
      const owners = OWNERS[name] ?? []
      const isOwner = owners.some((owner) => path === owner || path.startsWith(`${owner}/`))
      t.ok(isOwner, `src/${path} imports ${name}`)
    }
  }
  const used = new Set(files.flatMap(({ packages }) => packages))
  t.strictSame(
    Object.keys(OWNERS).filter((name) => !used.has(name)),
    [],
    'no owner of nothing',
  )
})

t.test('what decides does no I/O', async (t) => {
  for (const { path, packages, text } of files.filter((it) => PURE.includes(partOf(it.path)))) {
    t.strictSame(
      packages.filter((name) => !PURE_IMPORTS.includes(name)),
      [],
      `src/${path}`,
    )
    t.notMatch(text, /Date\.now|new Date|setTimeout|setInterval|fetch\(|process\.\w/, `src/${path}`)
  }
})

t.test('no file is longer than 200 lines', async (t) => {
  for (const { path, text } of files) t.ok(text.split('\n').length - 1 <= 200, `src/${path}`)
})
