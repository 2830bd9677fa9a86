/** The gateway as its users run it: a process of its own, from the shipped gateway.yaml. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'

const START_SECONDS = 30
const SKIP_DRAIN_MS = 100
const STOP_MS = 3000
const LOG_LINES = 200

export interface GatewayProcess {
  /** Rejects when the gateway ends by itself, with what it printed. */
  readonly ended: Promise<never>
  /** The last lines it printed. */
  readonly output: () => string
  /** Calls back with every piece it prints from now on. */
  readonly follow: (print: (text: string) => void) => void
  readonly stop: () => Promise<void>
}

/** Resolves when the gateway says it is ready. */
export async function startGateway(
  env: Readonly<Record<string, string>>,
  readyUrl: string,
): Promise<GatewayProcess> {
  const args = ['--import', 'tsx', 'src/main.ts', 'start', '--config', 'gateway.yaml']
  const child = spawn(process.execPath, args, {
    cwd: new URL('..', import.meta.url),
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  // Whatever ends the demo, nothing of it stays behind.
  process.once('exit', () => child.kill('SIGKILL'))
  const gateway = watch(child)
  try {
    await Promise.race([waitUntilReady(readyUrl), gateway.ended])
  } catch (error) {
    await gateway.stop()
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`${reason}\n${gateway.output()}`, { cause: error })
  }
  return gateway
}

function watch(child: ChildProcess): GatewayProcess {
  let stopping = false
  let lines: string[] = []
  let print: (text: string) => void = () => undefined
  const read = (chunk: Buffer) => {
    const text = chunk.toString()
    lines = [...lines, ...text.trimEnd().split('\n')].slice(-LOG_LINES)
    print(text)
  }
  child.stdout?.on('data', read)
  child.stderr?.on('data', read)
  const closed = once(child, 'close')
  const output = () => lines.join('\n')

  const ended = new Promise<never>((_, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      if (!stopping) reject(new Error(`the gateway ended with ${String(code ?? signal)}`))
    })
  })
  ended.catch(() => undefined) // Waited for only while something else is.
  return {
    ended,
    output,
    follow(next) {
      print = next
    },
    async stop() {
      stopping = true
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      await Promise.race([closed, delay(SKIP_DRAIN_MS)])
      // A second signal skips the drain: there is no load balancer here that has to notice.
      child.kill('SIGTERM')
      const force = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
      await closed
      clearTimeout(force)
    },
  }
}

async function waitUntilReady(url: string): Promise<void> {
  const deadline = Date.now() + START_SECONDS * 1000
  while (Date.now() < deadline) {
    try {
      const response = await fetch(url)
      await response.arrayBuffer()
      if (response.status === 200) return
    } catch {
      // Not listening yet.
    }
    await delay(100)
  }
  throw new Error(`the gateway was not ready after ${START_SECONDS} seconds`)
}
