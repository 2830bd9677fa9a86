/** The servers under measurement: children of this process, and the CPU time each has used. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync, readdirSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** Clock ticks of /proc/<pid>/stat: USER_HZ is 100 on every Linux that Node runs on. */
const MICROSECONDS_PER_TICK = 10_000

export interface Running {
  /** User and system time so far, of the process and its children, in microseconds. */
  readonly cpuMicroseconds: () => number
  readonly stop: () => Promise<void>
}

export interface Command {
  readonly file: string
  readonly args: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  /** Where its standard output goes. */
  readonly log: string
  /** Answers 200 once the server is up. */
  readonly readyUrl: string
}

export async function run({ file, args, env, log, readyUrl }: Command): Promise<Running> {
  const output = openSync(log, 'w')
  const child = spawn(file, args, {
    stdio: ['ignore', output, 'inherit'],
    env: { ...process.env, ...env },
  })
  closeSync(output)
  await untilReady(readyUrl, child)
  const pid = child.pid ?? 0
  return {
    cpuMicroseconds: () => [pid, ...childrenOf(pid)].reduce((sum, it) => sum + cpuOf(it), 0),
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => {
          resolve()
        })
        child.kill('SIGTERM')
        child.kill('SIGTERM')
      }),
  }
}

/** Whether a program is on the PATH. */
export function isInstalled(program: string): boolean {
  return spawnSync('which', [program]).status === 0
}

async function untilReady(url: string, child: ChildProcess): Promise<void> {
  const deadline = AbortSignal.timeout(10_000)
  while (!deadline.aborted && child.exitCode === null) {
    const answer = await fetch(url).catch(() => undefined)
    if (answer?.status === 200) return
    await delay(20)
  }
  throw new Error(`${child.spawnfile} is not ready at ${url}`)
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && statOf(name)[1] === String(pid))
    .map(Number)
}

function cpuOf(pid: number): number {
  const stat = statOf(String(pid))
  return (Number(stat[11]) + Number(stat[12])) * MICROSECONDS_PER_TICK
}

/** The fields of proc(5) /proc/pid/stat from the third on: the second may hold spaces. */
function statOf(pid: string): readonly string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return [] // It has ended meanwhile.
  }
}
