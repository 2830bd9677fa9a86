/** failures.md, Lifecycle: after a bug that nobody caught a process drains and ends, and says so. */
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { startGateway, type GatewayProcess } from '../support/process.ts'
import { redisMissing, startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { createCast, type Cast } from './cast.ts'

const PATIENCE_MS = 30_000
const DRAIN = '{ delay: 500ms, timeout: 20s }'
const THROWN = `throw new Error('planted')`
const REJECTED = `void Promise.reject(new Error('planted'))`

/** A gateway whose processes have a bug that shows at SIGUSR2. */
function startWithBug(t: Test, { config }: Cast, bug: string): Promise<GatewayProcess> {
  const file = join(dirname(config), 'bug.mjs')
  writeFileSync(file, `process.on('SIGUSR2', () => { ${bug} })\n`)
  const options = process.env['NODE_OPTIONS'] ?? ''
  return startGateway(t, config, {
    NODE_OPTIONS: `${options} --import=${pathToFileURL(file).href}`,
  })
}

function linesOf({ log }: GatewayProcess, beginning: string) {
  return log().filter(({ msg }) => String(msg).startsWith(beginning))
}

for (const [name, bug] of Object.entries({ THROWN, REJECTED })) {
  t.test(`${name}: finishes what is under way, and ends with 1`, async (t) => {
    const cast = await createCast(t, { drain: DRAIN })
    const gateway = await startWithBug(t, cast, bug)
    await gateway.untilReady()
    cast.upstream.behave('slow')
    const underWay = await cast.request(gateway.traffic)
    gateway.signal('SIGUSR2')
    await until(async () => (await gateway.readiness()).status === 503)
    t.equal(await underWay.text(), 'x'.repeat(10))

    const { code, stderr } = await gateway.ended
    t.equal(code, 1)
    t.equal(stderr, '')
    const [line] = linesOf(gateway, 'a bug')
    t.match(line, { level: 60, err: { message: 'planted', stack: /bug\.mjs/ } })
    t.equal(gateway.log().at(-1)?.['msg'], 'stopped', 'the log is written to its end')
  })
}

t.test('a second bug meanwhile changes nothing', async (t) => {
  const cast = await createCast(t, { drain: DRAIN })
  const gateway = await startWithBug(t, cast, THROWN)
  await gateway.untilReady()
  cast.upstream.behave('slow')
  const underWay = await cast.request(gateway.traffic)
  gateway.signal('SIGUSR2')
  await until(async () => (await gateway.readiness()).status === 503)
  gateway.signal('SIGUSR2')
  t.equal(await underWay.text(), 'x'.repeat(10))
  const { code, stderr } = await gateway.ended
  t.equal(code, 1)
  t.equal(stderr, '')
})

t.test('a worker ends alone, and is replaced', { skip: redisMissing }, async (t) => {
  const redis = await startRedis(t)
  const cast = await createCast(t, {
    settings: `replay: { store: redis, url: '${redis.url}', timeout: 5s }`,
  })
  const yaml = readFileSync(cast.config, 'utf8').replace('server: {', 'server: { workers: 2,')
  writeFileSync(cast.config, yaml)
  const gateway = await startWithBug(t, cast, THROWN)
  const serving = () => linesOf(gateway, 'worker serves')
  await until(() => serving().length === 2, PATIENCE_MS)
  await gateway.untilReady()
  const [first] = serving()
  process.kill(Number(first?.['pid']), 'SIGUSR2')
  await until(() => serving().length === 3, PATIENCE_MS)
  const worker = first?.['worker']
  t.match(linesOf(gateway, 'a bug'), [{ level: 60, worker, err: { message: 'planted' } }])
  t.match(linesOf(gateway, 'a worker has ended'), [{ level: 50, worker, code: 1 }])
  t.equal((await cast.request(gateway.traffic)).status, 200)
})
