/** What README.md and its fellows tell a reader to use is there, and does what they say. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { parseConfig } from '../src/config/load.ts'

const ROOT = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const readme = read('README.md')

const DOCUMENTS = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'],
  ...[
    'architecture',
    'benchmark',
    'browsers',
    'cases',
    'configuration',
    'conformance',
    'errors',
    'mcp',
    'migration',
    'operations',
  ].map((name) => `docs/${name}.md`),
]

t.test('the configuration of the README loads, and is not the one of the demo', async (t) => {
  const [, text = ''] = /^```yaml\n(.*?)^```$/ms.exec(readme) ?? []
  const [, name = ''] = /^# (\S+\.yaml)$/m.exec(text) ?? []
  const { routes, server } = parseConfig(text, { file: name, env: {} })
  t.equal(routes.length, 2)
  t.equal(server.publicUrl, 'https://api.example.com')
  t.notOk(existsSync(join(ROOT, name)), `${name} overwrites nothing`)
  t.match(readme, `check ${name}`)
  t.match(readme, `start ${name}`)
})

t.test('each step of docs/migration.md loads, and is what it says', async (t) => {
  const issuers = 'issuers: { main: { issuer: https://as.example.com, audience: api } }'
  const steps = [...read('docs/migration.md').matchAll(/^```yaml\n(.*?)^```$/gms)].map(
    ([, text = '']) => parseConfig(`${issuers}\n${text}`, { file: 'step.yaml', env: {} }).routes,
  )
  t.match(steps, [
    [{ name: 'orders', access: 'dpop-or-bearer', observe: true, identity: { token: 'bearer' } }],
    [{ name: 'orders', access: 'dpop-or-bearer', observe: false, identity: { token: 'drop' } }],
    [{ name: 'orders', access: 'dpop', observe: false, identity: { token: 'drop' } }],
    [{ name: 'token', access: 'proof', methods: ['POST'] }],
  ])
  t.equal(steps.length, 4)
})

for (const document of DOCUMENTS) {
  t.test(`${document}: what it links is there`, async (t) => {
    const text = read(document)
    const links = [
      ...[...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target),
      ...[...text.matchAll(/^\[[^\]]+\]: (\S+)$/gm)].map(([, target = '']) => target),
    ]
    for (const link of links.filter((target) => !/^https?:/.test(target))) {
      const [path = '', anchor] = link.split('#')
      const file = path === '' ? document : join(dirname(document), path)
      t.ok(existsSync(join(ROOT, file)), link)
      if (anchor === undefined || !existsSync(join(ROOT, file))) continue
      t.ok(anchorsOf(read(file)).includes(anchor), `${link}: a heading`)
    }
  })
}

t.test('the scripts that are named exist', async (t) => {
  const { scripts } = JSON.parse(read('package.json')) as {
    readonly scripts: Readonly<Record<string, string>>
  }
  const texts = [readme, read('CONTRIBUTING.md'), read('.ci/run')].join('\n')
  const named = [...texts.matchAll(/npm (?:run ([\w:-]+)|(test|start)\b)/g)].map(
    ([, run, short]) => run ?? short ?? '',
  )
  t.ok(named.length > 5)
  for (const name of new Set(named)) t.ok(Object.hasOwn(scripts, name), `npm run ${name}`)
})

t.test('the commands that are named exist', async (t) => {
  const main = read('src/main.ts')
  const named = [...readme.matchAll(/node dist\/main\.js (\w+)/g)].map(([, name = '']) => name)
  t.ok(named.length > 3)
  for (const name of new Set(named)) t.match(main, new RegExp(`^  ${name} {2,}\\S`, 'm'), name)
})

t.test('docs/operations.md names every metric', async (t) => {
  const operations = read('docs/operations.md')
  const sources = readdirSync(join(ROOT, 'src/admin')).filter((file) => file.endsWith('.ts'))
  const source = sources.map((file) => read(`src/admin/${file}`)).join('\n')
  const names = [...source.matchAll(/name: '(\w+)'/g)].map(([, name = '']) => name)
  t.ok(names.includes('dpop_workers') && names.includes('dpop_refusals_total'), 'of all files')
  for (const name of names) t.match(operations, `\`${name}\``, name)
})

t.test('docs/cases.md has every case that docs/conformance.md refers to', async (t) => {
  const cases = read('docs/cases.md')
  const tables = cases.slice(cases.indexOf('\n## '))
  const rows = [...tables.matchAll(/^\| +(\d+) +\|/gm)].map(([, n]) => Number(n))
  t.ok(rows.length > 200)
  t.strictSame(
    rows,
    [...new Set(rows)].sort((a, b) => a - b),
  )
  const named = [...read('docs/conformance.md').matchAll(/#(\d+)(?:–(\d+))?/g)].flatMap(
    ([, from, to]) => [Number(from), Number(to ?? from)],
  )
  t.ok(named.length > 100)
  for (const number of new Set(named)) t.ok(rows.includes(number), `#${number}`)
})

/** As GitHub makes them from headings. */
function anchorsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
