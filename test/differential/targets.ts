/** Writings of paths, of which some server may take some for a protected one. Seeded. */
import fc from 'fast-check'

const SECRETS = ['/admin/users', '/admin/', '/admin', '/api/7/secret', '/private']

const DOTS = ['..', '%2e%2e', '.%2E', '%252e%252e', '%25252e.', '..;', '..;a=b', '..%3b', '..%253b']
const BAD_DOTS = [
  '..%00',
  '..%09',
  '.%0a.',
  '%c0%ae%c0%ae',
  '%ef%bc%8e%ef%bc%8e',
  '．．',
  '.',
  '...',
]
const SLASHES = ['//', '/./', '/;/', '/;a/', '\\', '%2f', '%2F', '%5c', '%252f', '%255C', '%25252F']
const BAD_SLASHES = ['%c0%af', '%e0%80%af', '／', '%ef%bc%8f', '/%20/', '/x/../', '/%09/', '\\/']
const ENDS = [
  '/',
  '//',
  '.',
  './',
  '%20',
  '%2e',
  ';x',
  ';a=b/',
  '%3b',
  '%3Fa',
  '%3f/a',
  '%23',
  '?',
  '?/a',
]
const BAD_ENDS = [
  '#',
  '#/a',
  '%00',
  '%00.html',
  '%0a',
  '%0d%0a',
  '.json',
  '..;/',
  '/.',
  '/..%3F',
  '%253Fa',
]
const IDS = [
  '1%3F',
  '1%23',
  '1%3Bx',
  '%2F',
  'a%2Fb',
  'a%252fb',
  '..',
  ';',
  '1;x=/',
  '',
  '%20',
  ':id',
  '*',
]
const FRONTS = [
  '/',
  '//',
  '//x',
  '/x',
  '/%2e',
  '/public',
  '/ADMIN',
  '/api',
  '/api/7',
  '/;',
  '/%09',
  'http://HOST',
]

/** What it makes of a path, at a place picked by `pick`. */
type Mutation = (path: string, pick: number) => string

const at = (path: string, pick: number) => pick % path.length
const put = (path: string, from: number, to: number, text: string) =>
  path.slice(0, from) + text + path.slice(to)
const hex = (text: string) => [...Buffer.from(text)].map((it) => it.toString(16)).join('%')
const slashAt = (path: string, pick: number) => {
  const places = [...path.matchAll(/\//g)].map(({ index }) => index)
  return places[pick % places.length] ?? 0
}
const encode = (path: string, pick: number, prefix: string) => {
  const place = at(path, pick)
  return put(path, place, place + 1, prefix + hex(path[place] ?? 'x'))
}

const oneOf = (
  texts: readonly string[],
  mutate: (path: string, pick: number, text: string) => string,
) =>
  texts.map(
    (text): Mutation =>
      (path, pick) =>
        mutate(path, pick, text),
  )

const MUTATIONS: readonly Mutation[] = [
  (path, pick) => encode(path, pick, '%'),
  (path, pick) => encode(path, pick, '%').toUpperCase(),
  (path, pick) => encode(path, pick, '%25'),
  (path, pick) => encode(path, pick, '%2525'),
  (path) => path.toUpperCase(),
  (path) =>
    path.replace('admin', 'aDmin').replace('secret', 'Secret').replace('private', 'PRIVATe'),
  (path, pick) => put(path, at(path, pick), at(path, pick), '\t'),
  (path, pick) => put(path, at(path, pick), at(path, pick), '%09'),
  ...oneOf([...DOTS, ...BAD_DOTS], (path, pick, dots) =>
    put(path, slashAt(path, pick), slashAt(path, pick), `/x/${dots}`),
  ),
  ...oneOf([...DOTS, ...BAD_DOTS], (path, _, dots) => `${path}/x/${dots}`),
  ...oneOf([...SLASHES, ...BAD_SLASHES], (path, pick, slash) =>
    put(path, slashAt(path, pick), slashAt(path, pick) + 1, slash),
  ),
  ...oneOf([...ENDS, ...BAD_ENDS], (path, _, end) => path + end),
  ...oneOf([...ENDS, ...BAD_ENDS], (path, pick, end) =>
    put(path, slashAt(path, pick), slashAt(path, pick), end),
  ),
  ...oneOf(IDS, (path, _, id) => path.replace('7', () => id)),
  ...oneOf(FRONTS, (path, _, front) => front + path),
]

const mutations = fc.array(fc.tuple(fc.constantFrom(...MUTATIONS), fc.nat(40)), {
  minLength: 1,
  maxLength: 4,
})

const target = fc
  .tuple(fc.constantFrom(...SECRETS), mutations)
  .map(([secret, steps]) => steps.reduce((path, [mutate, pick]) => mutate(path, pick), secret))

/** Different ones, without those that the generator has left as they were. */
export function mutatedTargets(seed: number, count: number): readonly string[] {
  const targets = new Set(fc.sample(target, { seed, numRuns: count }))
  return [...targets].filter((it) => !/[ \r\n]/.test(it) && !SECRETS.includes(it))
}
