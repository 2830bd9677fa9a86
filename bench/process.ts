/** The servers under measurement: children of this process, measured from the outside. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** Clock ticks of /proc/<pid>/stat: USER_HZ is 100 on every Linux that Node runs on. */
const MICROSECONDS_PER_TICK = 10_000
/** Long, so that a slow start is measured instead of given up. */
const READY_MS = 180_000
const STOP_MS = 10_000

/** Configurations and logs of all servers; gone when the benchmark is. */
export const folder = mkdtempSync(join(tmpdir(), 'dpop-gateway-bench-'))

export function removeFolder(): void {
  rmSync(folder, { recursive: true, force: true })
}

export interface Running {
  readonly pid: number
  /** Milliseconds from its start until it was ready. */
  readonly readyMs: number
  readonly stop: () => Promise<void>
}

export interface Command {
  readonly file: string
  readonly args: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  /** Where its output goes, below the folder. */
  readonly log: string
  /** Answers once the server is up, with 200 unless another status is named. */
  readonly readyUrl: string
  readonly readyStatus?: number
  /** The processors it is kept on, as taskset takes them. Default is those of this process. */
  readonly cpus?: string | undefined
}

export async function run(command: Command): Promise<Running> {
  const { env, log, cpus } = command
  const output = openSync(join(folder, log), 'w')
  const [file = '', ...args] = [
    ...(cpus === undefined ? [] : ['taskset', '-c', cpus]),
    ...[command.file, ...command.args],
  ]
  const startedAt = performance.now()
  const child = spawn(file, args, {
    stdio: ['ignore', output, output],
    env: { ...process.env, ...env },
  })
  closeSync(output)
  const stop = () => stopChild(child)
  try {
    await untilReady(command, child)
  } catch (error) {
    await stop()
    throw error
  }
  return { pid: child.pid ?? 0, readyMs: performance.now() - startedAt, stop }
}

/** Whether a program is on the PATH. */
export function isInstalled(program: string): boolean {
  return spawnSync('which', [program]).status === 0
}

/** User and system time so far of a process and all below it, in microseconds. */
export function cpuMicroseconds(pid: number): number {
  return treeOf(pid).reduce((sum, it) => sum + cpuOf(it), 0)
}

/** The same of each process below it, by process. */
export function cpuOfChildren(pid: number): ReadonlyMap<number, number> {
  const children = treeOf(pid).slice(1)
  return new Map(children.map((it) => [it, cpuOf(it)]))
}

/** Resident memory of a process and all below it, in bytes. */
export function residentBytes(pid: number): number {
  return treeOf(pid).reduce((sum, it) => {
    const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readProc(it, 'status'))?.[1]
    return sum + Number(kilobytes ?? 0) * 1024
  }, 0)
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  // The second one ends a gateway that drains.
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await exit
  clearTimeout(timer)
}

async function untilReady({ readyUrl, readyStatus = 200, log }: Command, child: ChildProcess) {
  const deadline = performance.now() + READY_MS
  while (performance.now() < deadline && child.exitCode === null) {
    const answer = await fetch(readyUrl).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.status === readyStatus) return
    await delay(5)
  }
  throw new Error(`not ready at ${readyUrl}:\n${readFileSync(join(folder, log), 'utf8')}`)
}

function treeOf(pid: number): readonly number[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), parent: Number(statOf(Number(name))[1]) }))
  const found = [pid]
  for (const above of found) {
    found.push(...parents.filter(({ parent }) => parent === above).map((it) => it.pid))
  }
  return found
}

function cpuOf(pid: number): number {
  const stat = statOf(pid)
  return (Number(stat[11] ?? 0) + Number(stat[12] ?? 0)) * MICROSECONDS_PER_TICK
}

/** The fields of proc(5) /proc/pid/stat from the third on: the second may hold spaces. */
function statOf(pid: number): readonly string[] {
  const text = readProc(pid, 'stat')
  return text === '' ? [] : text.slice(text.lastIndexOf(')') + 2).split(' ')
}

function readProc(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8')
  } catch {
    return '' // It has ended meanwhile.
  }
}
