/**
 * Standard output is a pipe that nobody reads, as with a log collector that hangs. Written to by way
 * of a thread that waits, it kept the gateway from ever ending.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, createReadStream, openSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { choosePort } from '../../demo/listen.ts'
import { childEnvironment } from '../support/environment.ts'
import { readMetrics } from '../support/metrics.ts'
import { openRaw, requestText } from '../support/raw-http.ts'
import { until } from '../support/until.ts'
import { createCast } from './cast.ts'

const START_MS = 60_000
const DROPPED = 'log_lines_dropped_total'
/** Of one line each; together far more than the pipe and the 8 MiB that are kept. */
const PATH = `/none/${'x'.repeat(12_000)}`
const BATCH = 100

type Line = Readonly<Record<string, unknown>>

async function start(t: Test) {
  const [port, adminPort] = [await choosePort(0), await choosePort(0)]
  const listen = { listen: `127.0.0.1:${port}`, adminListen: `127.0.0.1:${adminPort}` }
  const { config } = await createCast(t, listen)
  const pipe = join(dirname(config), 'stdout')
  execFileSync('mkfifo', [pipe])
  // Opened to read as well, so that neither side waits for the other.
  const fd = openSync(pipe, 'r+')
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', 'src/main.ts', 'start', '--config', config],
    { env: childEnvironment(), stdio: ['ignore', fd, 'inherit'] },
  )
  const ended = once(child, 'exit') as Promise<[number | null]>
  t.teardown(() => void child.kill('SIGKILL'))
  const isUp = () => fetch(`http://127.0.0.1:${adminPort}/readyz`).then((it) => it.ok)
  await until(() => isUp().catch(() => false), START_MS)
  return { port, adminPort, child, ended, pipe, fd }
}

/** Requests without a route, until lines of the log are lost. */
async function sendUntilDropped(port: number, adminPort: number): Promise<void> {
  const text = requestText(port, { path: PATH }).repeat(BATCH)
  const connection = await openRaw(port)
  await until(async () => {
    connection.write(text)
    for (let answer = 0; answer < BATCH; answer++) {
      await connection.read({ deadlineMs: START_MS })
    }
    return ((await readMetrics(adminPort)).get(DROPPED) ?? 0) > 0
  }, START_MS)
  connection.destroy()
}

function residentBytes(pid = 0): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024
}

t.test('a log that nobody reads stops nothing, and what was lost is said', async (t) => {
  const { port, adminPort, child, ended, pipe, fd } = await start(t)
  await sendUntilDropped(port, adminPort)
  const full = residentBytes(child.pid)
  for (let round = 0; round < 3; round++) await sendUntilDropped(port, adminPort)
  const more = residentBytes(child.pid) - full
  t.ok(more < 64 * 1024 * 1024, `${more} bytes more: what is kept is bounded`)

  const lines: Line[] = []
  const reader = createInterface({ input: createReadStream(pipe) })
  reader.on('line', (line) => void lines.push(JSON.parse(line) as Line))
  const isTold = (line: Line) => line['msg'] === 'nobody read the log: lines were lost'
  await until(() => lines.some(isTold), START_MS)
  const told = lines.filter(isTold)
  t.match(told, [{ level: 40, lines: Number }])
  t.equal(told[0]?.['lines'], (await readMetrics(adminPort)).get(DROPPED))

  child.kill('SIGTERM')
  t.strictSame(await ended, [0, null])
  closeSync(fd)
  await once(reader, 'close')
  t.equal(lines.at(-1)?.['msg'], 'stopped', 'and the log is written to its end')
})

t.test('a log that nobody reads does not keep the process from ending', async (t) => {
  const { port, adminPort, child, ended, fd } = await start(t)
  t.teardown(() => {
    closeSync(fd)
  })
  await sendUntilDropped(port, adminPort)
  child.kill('SIGTERM')
  t.strictSame(await ended, [0, null])
})
