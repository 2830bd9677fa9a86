/** A real load balancer that asks for readiness, as docs/operations.md has it. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { choosePort } from '../../demo/listen.ts'
import { until } from '../support/until.ts'

export const haproxyMissing =
  spawnSync('haproxy', ['-v']).status === 0 ? false : 'haproxy is not installed'

export interface Backend {
  readonly port: number
  readonly adminPort: number
}

/** Resolves with its URL. It may not have asked the backends yet. */
export async function startHaproxy(t: Test, backends: readonly Backend[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'haproxy-'))
  const port = await choosePort(0)
  writeFileSync(join(folder, 'haproxy.cfg'), configOf(port, backends))
  const server = spawn('haproxy', ['-db', '-f', join(folder, 'haproxy.cfg')], {
    stdio: ['ignore', 'ignore', 'ignore'],
  })
  const exit = once(server, 'exit')
  t.teardown(async () => {
    server.kill('SIGKILL')
    await exit
    rmSync(folder, { recursive: true })
  })
  const url = `http://127.0.0.1:${port}`
  const isListening = () =>
    fetch(url).then(
      () => true,
      () => false,
    )
  await until(isListening, 30_000)
  return url
}

/** What is sent is sent again only where no connection could be made. */
function configOf(port: number, backends: readonly Backend[]): string {
  const servers = backends.map(
    (it, at) => `server gateway-${at} 127.0.0.1:${it.port} check port ${it.adminPort}`,
  )
  return `
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout check 10s
  option redispatch
  retries 3
  retry-on conn-failure
frontend clients
  bind 127.0.0.1:${port}
  default_backend gateways
backend gateways
  option httpchk GET /readyz
  http-check expect status 200
  http-reuse always
  default-server inter 100ms fall 1 rise 1
  ${servers.join('\n  ')}
`
}
