/** Where a run was made: the machine, the versions of what was measured, and the day. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { isInstalled } from './process.ts'

/** How processors are shared out; undefined where there is nothing to share. */
export interface Placement {
  /** Where what is measured runs, alone. */
  readonly subject: string | undefined
  /** All there are, for a subject that is to have several. */
  readonly all: string | undefined
  /** How many processors there are. */
  readonly count: number
  readonly sentence: string
}

/** Read at the start, because this process will be kept to fewer. */
const processors = readProcessors()

/**
 * Keeps this process, and so all it starts but the subjects, away from one processor, which is left
 * to the subject: one core, as promised, and no load generator on it.
 */
export function placeProcesses(): Placement {
  const subject = processors.at(-1)
  const others = processors.slice(0, -1)
  if (subject === undefined || others.length === 0 || !isInstalled('taskset')) {
    const reason = others.length === 0 ? 'one processor only' : 'no taskset'
    return {
      ...{ subject: undefined, all: undefined, count: processors.length },
      sentence: `${reason}: everything shares the processors`,
    }
  }
  spawnSync('taskset', ['-a', '-c', '-p', others.join(','), String(process.pid)])
  return {
    ...{ subject, all: processors.join(','), count: processors.length },
    sentence:
      'what is measured has one processor of its own; load, upstream and Redis share the others',
  }
}

/** The numbers of those this process may use, which need not be all, nor begin at 0. */
function readProcessors(): readonly string[] {
  const status = readFileSync('/proc/self/status', 'utf8')
  const list = /^Cpus_allowed_list:\s+(\S+)/m.exec(status)?.[1] ?? '0'
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, at) => String(first + at))
  })
}

export function describeMachine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor'
  const memory = Math.round(totalmem() / 2 ** 30)
  return `${cpus().length} × ${model}, ${memory} GiB, Linux ${release()}`
}

/** Of everything that takes part, in one line. */
export function describeVersions(): string {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  const others = [
    versionOf('nginx', ['-v'], /nginx\/(\S+)/),
    versionOf('redis-server', ['--version'], /v=(\S+)/),
    versionOf('openssl', ['version'], /OpenSSL (\S+)/),
    versionOf('apache2', ['-v'], /Apache\/(\S+)/),
  ]
  return [`dpop-gateway ${version}`, `Node ${process.version}`, ...others].join(', ')
}

export function describeDay(): string {
  return new Date().toISOString().slice(0, 10)
}

/** Says when other work on the machine may have falsified a run. */
export function describeNoise(): string {
  const [load = 0] = loadavg()
  return `load average at the start ${load.toFixed(1)}`
}

function versionOf(program: string, args: readonly string[], pattern: RegExp): string {
  const { stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8' })
  if (error) return `no ${program}`
  return `${program} ${pattern.exec(stdout + stderr)?.[1] ?? 'of unknown version'}`
}
