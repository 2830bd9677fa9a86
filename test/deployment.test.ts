/** docker-compose.yml, the Dockerfile and what they mount hold together. No Docker is needed. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { loadConfig } from '../src/config/load.ts'

interface Service {
  readonly build?: string | { readonly context: string; readonly target: string }
  readonly image: string
  readonly volumes?: readonly string[]
  readonly command?: readonly string[]
  readonly ports?: readonly string[]
  readonly networks: readonly string[] | Readonly<Record<string, { ipv4_address: string }>>
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly healthcheck?: object
  readonly environment?: Readonly<Record<string, string>>
  readonly stop_grace_period?: string
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly networks: Readonly<Record<string, unknown>>
}

const repository = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(repository, path), 'utf8')

const { services, networks } = parse(read('docker-compose.yml'), { merge: true }) as Compose
const dockerfile = read('Dockerfile')
const config = loadConfig(join(repository, 'deploy/gateway.yaml'), {})

for (const [name, service] of Object.entries(services)) {
  t.test(`the service ${name}`, async (t) => {
    for (const volume of service.volumes ?? []) {
      t.ok(existsSync(join(repository, volume.split(':')[0] ?? '')), volume)
    }
    for (const file of (service.command ?? []).filter((word) => word.endsWith('.ts'))) {
      t.ok(existsSync(join(repository, file)), file)
    }
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
      const checked = services[other]?.healthcheck ?? services[other]?.build
      t.ok(checked, `${other} says whether it is healthy`)
      t.equal(condition, 'service_healthy')
    }
    const joined = Array.isArray(service.networks)
      ? service.networks
      : Object.keys(service.networks)
    t.same(
      joined.filter((network) => !(String(network) in networks)),
      [],
      'its networks exist',
    )
    if (typeof service.build === 'object') {
      t.match(dockerfile, new RegExp(`^FROM .* AS ${service.build.target}$`, 'm'))
    }
    for (const port of service.ports ?? [])
      t.match(port, /^127\.0\.0\.1:/, 'for this machine alone')
  })
}

t.test('the configuration of the gateways names services', async (t) => {
  const hosts = [
    config.replay.url ?? '',
    config.issuers['main']?.jwksUri ?? '',
    ...config.routes.flatMap(({ upstream }) => upstream),
  ].map((url) => new URL(url).hostname)
  t.same([...new Set(hosts)].sort(), ['issuer', 'redis', 'upstream'])
  t.ok(hosts.every((host) => host in services))
  for (const [, server] of read('deploy/nginx.conf').matchAll(/^ +server (\S+):8080;/gm)) {
    t.ok(services[server ?? ''], `${String(server)} behind the load balancer`)
  }
})

t.test('clients and gateways use the same names', async (t) => {
  const { issuer, 'load-balancer': balancer } = services
  t.equal(config.server.publicUrl, 'http://localhost:8080')
  t.same(balancer?.ports, ['127.0.0.1:8080:8080'])
  t.same(issuer?.ports, ['127.0.0.1:9000:9000'])
  t.match(config.issuers['main'], {
    issuer: issuer?.environment?.['ISSUER'],
    audience: [issuer?.environment?.['AUDIENCE']],
  })
  t.same(balancer?.networks, { front: { ipv4_address: config.server.trustedProxies[0] } })
})

t.test('Redis forgets nothing, and gateways get the time they need to stop', async (t) => {
  const command = services['redis']?.command?.join(' ')
  t.match(command, '--maxmemory-policy noeviction')
  const { delay, timeout } = config.server.drain
  for (const name of ['gateway-1', 'gateway-2']) {
    const seconds = Number.parseInt(services[name]?.stop_grace_period ?? '')
    t.ok(seconds * 1000 > delay + timeout)
  }
})

t.test('the Dockerfile copies what exists and is sent to the engine', async (t) => {
  const sent = read('.dockerignore').split('\n')
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, names]) =>
    (names ?? '').split(' '),
  )
  t.ok(copied.length > 0)
  for (const name of copied.filter((name) => name !== '.')) {
    t.ok(existsSync(join(repository, name)), name)
    t.ok(sent.includes(`!${name}`), `${name} in .dockerignore`)
  }
  t.match(dockerfile, /^USER node$/m)
  t.match(dockerfile, /^ENTRYPOINT \["node", "dist\/main\.js"\]$/m)
})
