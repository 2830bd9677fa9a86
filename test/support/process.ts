/** The gateway as its users run it: a process of its own, with arguments, an environment, signals. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Test } from 'tap'
import { childEnvironment } from './environment.ts'
import { until } from './until.ts'

export interface Ended {
  /** The exit code, or the name of the signal that ended it. */
  readonly code: number | string
  readonly stdout: string
  readonly stderr: string
}

export interface GatewayProcess {
  readonly pid: number
  /** URLs it listens on. */
  readonly traffic: string
  readonly admin: string
  /** What `/readyz` answers. */
  readonly readiness: () => Promise<Readiness>
  readonly untilReady: () => Promise<void>
  readonly signal: (name: NodeJS.Signals) => void
  /** Settles when the process has ended. */
  readonly ended: Promise<Ended>
  /** Lines of its log so far, parsed. */
  readonly log: () => readonly Readonly<Record<string, unknown>>[]
}

export interface Readiness {
  readonly status: number
  readonly components: Readonly<Record<string, { readonly ready: boolean; reason?: string }>>
}

type Environment = Readonly<Record<string, string>>

/** Much more than it takes: a busy machine starts processes slowly. */
const START_MS = 60_000
const STOP_MS = 5000

const repository = new URL('../..', import.meta.url)

/** `dpop-gateway` with these arguments, until it ends by itself. */
export function runCommand(
  t: Test,
  args: readonly string[],
  env: Environment = {},
): Promise<Ended> {
  return launch(t, args, env).ended
}

/** Resolves once it listens, which is before it is ready. */
export async function startGateway(
  t: Test,
  config: string,
  env: Environment = {},
): Promise<GatewayProcess> {
  const { child, ended, output } = launch(t, ['start', '--config', config], env)
  const log = () => parseLines(output.stdout)
  const addresses = () => log().find(({ msg }) => msg === 'listening')
  const early = ended.then(({ code, stderr }) => {
    throw new Error(`the gateway ended with ${code}\n${stderr}`)
  })
  await Promise.race([until(() => addresses() !== undefined, START_MS), early])
  early.catch(() => undefined) // From here on it may end.
  const { traffic, admin } = addresses() as { traffic: string; admin: string }

  const readiness = async () => {
    const response = await fetch(`${admin}/readyz`)
    const { components } = (await response.json()) as Pick<Readiness, 'components'>
    return { status: response.status, components }
  }
  return {
    pid: child.pid ?? Number.NaN,
    traffic,
    admin,
    readiness,
    untilReady: () => until(async () => (await readiness()).status === 200, START_MS),
    signal: (name) => void child.kill(name),
    ended,
    log,
  }
}

function launch(t: Test, args: readonly string[], env: Environment) {
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts', ...args], {
    cwd: repository,
    env: childEnvironment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
  const closed = once(child, 'close')
  t.teardown(() => stop(child, closed))
  const ended = closed.then((): Ended => {
    return { code: child.exitCode ?? child.signalCode ?? 'nothing', ...output }
  })
  return { child, ended, output }
}

/** Nobody waits for a drain here: the second signal skips it. */
async function stop(child: ChildProcess, closed: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  const again = setInterval(() => child.kill('SIGTERM'), 50)
  const force = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await closed
  clearInterval(again)
  clearTimeout(force)
}

/** Of what is written so far: the last line may still be on its way. */
function parseLines(text: string): Record<string, unknown>[] {
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n')
  return lines
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}
