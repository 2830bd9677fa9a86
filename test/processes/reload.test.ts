/** failures.md, Lifecycle: another configuration without a restart, and what cannot be one. */
import { readFileSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { readMetrics } from '../support/metrics.ts'
import { runCommand, startGateway, type GatewayProcess } from '../support/process.ts'
import { until } from '../support/until.ts'
import { createCast } from './cast.ts'

const RELOADS = 50
const CLIENTS = 6

async function stageOf(t: Test) {
  const cast = await createCast(t)
  const gateway = await startGateway(t, cast.config)
  await gateway.untilReady()
  const original = readFileSync(cast.config, 'utf8')
  return { ...cast, gateway, original }
}

/** Lines of the log, by their beginning. */
function linesOf({ log }: GatewayProcess, beginning: string) {
  return log().filter(({ msg }) => String(msg).startsWith(beginning))
}

async function isLastReloadGood({ admin }: GatewayProcess): Promise<boolean> {
  const metrics = await readMetrics(Number(new URL(admin).port))
  return metrics.get('config_last_reload_success') === 1
}

t.test('fifty reloads under load, and no request fails', async (t) => {
  const { gateway, config, original, request } = await stageOf(t)
  const statuses: number[] = []
  let isOver = false
  const load = Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      while (!isOver) {
        const response = await request(gateway.traffic)
        await response.text()
        statuses.push(response.status)
      }
    }),
  )
  for (let count = 1; count <= RELOADS; count++) {
    writeFileSync(
      config,
      `${original}  - { name: n${count}, path: /n${count}, upstream: http://127.0.0.1:9 }\n`,
    )
    gateway.signal('SIGHUP')
    await until(() => linesOf(gateway, 'configuration reloaded').length === count)
    const before = statuses.length
    await until(() => statuses.length > before)
  }
  isOver = true
  await load
  t.ok(statuses.length > RELOADS)
  t.strictSame(
    statuses.filter((status) => status !== 200),
    [],
  )
  t.equal((await request(gateway.traffic, `/n${RELOADS}`)).status, 502, 'the last one is in force')
  t.equal((await request(gateway.traffic, '/n1')).status, 404, 'those before are not')
  t.ok(await isLastReloadGood(gateway))
})

t.test('an invalid file leaves the one before in force, and all say so', async (t) => {
  const { gateway, config, original, request } = await stageOf(t)
  writeFileSync(config, original.replace('access: public', 'acces: public'))
  gateway.signal('SIGHUP')
  await until(() => linesOf(gateway, 'configuration not reloaded').length === 1)
  const [line] = linesOf(gateway, 'configuration not reloaded')
  t.match(line, { level: 50, reason: /gateway\.yaml:\d+:\d+ routes\[1\]\.acces: unknown key/ })
  t.notOk(await isLastReloadGood(gateway))
  const { code, stderr } = await runCommand(t, ['check', config])
  t.equal(code, 2)
  t.match(stderr, 'unknown key')
  t.equal((await request(gateway.traffic, '/public/a')).status, 200)
  t.equal((await gateway.readiness()).status, 200, 'it is as ready as before')

  writeFileSync(config, original)
  gateway.signal('SIGHUP')
  await until(() => linesOf(gateway, 'configuration reloaded').length === 1)
  t.ok(await isLastReloadGood(gateway))
})

t.test('what belongs to the process needs a restart', async (t) => {
  const { gateway, config, original } = await stageOf(t)
  writeFileSync(config, `${original}log: { level: debug }\nreplay: { maxEntries: 7 }\n`)
  gateway.signal('SIGHUP')
  await until(() => linesOf(gateway, 'configuration not reloaded').length === 1)
  t.match(linesOf(gateway, 'configuration not reloaded'), [
    { reason: 'log, replay: read at start alone, so restart, or take the change back' },
  ])
  t.notOk(await isLastReloadGood(gateway))
})
