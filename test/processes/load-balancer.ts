/** nginx with deploy/nginx.conf, but for the addresses and what a foreground process needs. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { GatewayProcess } from '../support/process.ts'
import { until } from '../support/until.ts'

export const nginxMissing =
  spawnSync('nginx', ['-v']).status === 0 ? false : 'nginx is not installed'

const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']

export async function startLoadBalancer(
  t: Test,
  publicUrl: string,
  [first, second]: readonly [GatewayProcess, GatewayProcess],
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'load-balancer-'))
  const shipped = readFileSync(new URL('../../deploy/nginx.conf', import.meta.url), 'utf8')
  const own = TEMPORARY.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n')
  const config = shipped
    .replace('gateway-1:8080', new URL(first.traffic).host)
    .replace('gateway-2:8080', new URL(second.traffic).host)
    .replace('listen 8080;', `listen 127.0.0.1:${new URL(publicUrl).port};`)
    .replace('http {', `daemon off;\npid ${folder}/pid;\nhttp {\naccess_log off;\n${own}`)
  writeFileSync(join(folder, 'nginx.conf'), config)

  const args = ['-p', folder, '-c', `${folder}/nginx.conf`, '-e', 'stderr']
  const server = spawn('nginx', args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const exit = once(server, 'exit')
  t.teardown(async () => {
    server.kill('SIGTERM')
    await exit
    rmSync(folder, { recursive: true })
  })
  await until(() =>
    fetch(`${publicUrl}/status`).then(
      ({ ok }) => ok,
      () => false,
    ),
  )
}
