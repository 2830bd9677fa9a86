/** `server.workers`: what takes the place of a worker that ends, again and again. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { createClient } from '../support/client.ts'
import { createAuthority } from '../support/jwks-server.ts'
import { startGateway, type GatewayProcess } from '../support/process.ts'
import { redisMissing, startRedis } from '../support/redis.ts'
import { PUBLIC_URL } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { createCast } from './cast.ts'

const PATIENCE_MS = 60_000

async function stageOf(
  t: Test,
  env: (folder: string) => Readonly<Record<string, string>> = () => ({}),
) {
  const redis = await startRedis(t)
  const cast = await createCast(t, {
    settings: `replay: { store: redis, url: '${redis.url}', timeout: 5s }`,
  })
  const yaml = readFileSync(cast.config, 'utf8').replace('server: {', 'server: { workers: 2,')
  writeFileSync(cast.config, yaml)
  const gateway = await startGateway(t, cast.config, env(dirname(cast.config)))
  await until(() => linesOf(gateway, 'worker serves').length === 2, PATIENCE_MS)
  await gateway.untilReady()
  return { ...cast, yaml, gateway }
}

function linesOf({ log }: GatewayProcess, beginning: string) {
  return log().filter(({ msg }) => String(msg).startsWith(beginning))
}

const waits = (gateway: GatewayProcess) =>
  linesOf(gateway, 'a worker has ended').map(({ msg }) => String(msg).replace(/^.*, /, ''))

/** The option of Node with which workers end at their start as long as there is the file. */
function endWorkersWhile(file: string, folder: string): string {
  const code = join(folder, 'broken.mjs')
  const condition = `process.env.DPOP_GATEWAY_WORKER && existsSync('${file}')`
  writeFileSync(code, `import { existsSync } from 'node:fs'\nif (${condition}) process.exit(7)\n`)
  return `${process.env['NODE_OPTIONS'] ?? ''} --import=${pathToFileURL(code).href}`
}

t.test('those that do not last are replaced ever later', { skip: redisMissing }, async (t) => {
  const { gateway, request } = await stageOf(t)
  for (let killed = 1; killed <= 3; killed += 1) {
    const served = linesOf(gateway, 'worker serves').filter(({ worker }) => worker === 1)
    process.kill(Number(served.at(-1)?.['pid']), 'SIGKILL')
    await until(() => linesOf(gateway, 'worker serves').length === 2 + killed, PATIENCE_MS)
  }
  t.strictSame(waits(gateway), ['next one in 500 ms', 'next one in 1000 ms', 'next one in 2000 ms'])
  t.equal((await request(gateway.traffic)).status, 200)
})

t.test('one that ends while it starts is tried again', { skip: redisMissing }, async (t) => {
  let broken = ''
  const { gateway, request } = await stageOf(t, (folder) => {
    broken = join(folder, 'broken')
    return { NODE_OPTIONS: endWorkersWhile(broken, folder) }
  })
  writeFileSync(broken, '')
  process.kill(Number(linesOf(gateway, 'worker serves')[0]?.['pid']), 'SIGKILL')
  await until(() => linesOf(gateway, 'a worker cannot start').length >= 2, PATIENCE_MS)
  t.equal((await request(gateway.traffic)).status, 200, 'by the one that is left')
  rmSync(broken)
  await until(() => linesOf(gateway, 'worker serves').length === 3, PATIENCE_MS)
  t.strictSame(waits(gateway).slice(0, 2), ['next one in 500 ms', 'next one in 1000 ms'])
})

t.test('a new issuer counts at all of them', { skip: redisMissing }, async (t) => {
  const { gateway, config, yaml } = await stageOf(t)
  const other = await createAuthority(t)
  const client = await createClient()
  const token = await other.mint({ cnf: { jkt: client.thumbprint } })
  const statuses = async () => {
    const asked = Array.from({ length: 8 }, async () => {
      const proof = await client.proof({ url: `${PUBLIC_URL}/api/a`, token })
      const headers = { authorization: `DPoP ${token}`, dpop: proof, connection: 'close' }
      return (await fetch(`${gateway.traffic}/api/a`, { headers })).status
    })
    return [...new Set(await Promise.all(asked))]
  }
  t.strictSame(await statuses(), [401])
  const more = `issuers:\n  other: { issuer: '${other.issuer}', audience: none }\n`
  writeFileSync(config, yaml.replace('issuers:\n', more))
  gateway.signal('SIGHUP')
  await until(() => linesOf(gateway, 'configuration reloaded').length === 1, PATIENCE_MS)
  t.strictSame(await statuses(), [200])
  t.equal(other.requests.jwks, 2, 'each has loaded its keys')
})
