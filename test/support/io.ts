/** A command run in this process, with what it printed. */
import { PassThrough, Readable } from 'node:stream'
import type { Command } from '../../src/cli/command.ts'

interface Output {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export async function runCommand(
  command: Command,
  args: readonly string[],
  input = '',
): Promise<Output> {
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const code = await command(args, { stdout, stderr, stdin: Readable.from([input]) })
  return { code, stdout: written(stdout), stderr: written(stderr) }
}

function written(stream: PassThrough): string {
  const chunk: unknown = stream.read()
  return chunk instanceof Buffer ? chunk.toString() : ''
}
