/** What is measured: the gateway as it is shipped, and nginx as a plain proxy to the same upstream. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isInstalled, run, type Running } from './process.ts'

export const folder = mkdtempSync(join(tmpdir(), 'dpop-gateway-bench-'))

export interface Server extends Running {
  readonly port: number
}

export const hasNginx = isInstalled('nginx')

/** 1 KiB of JSON for every request. */
export async function startUpstream(): Promise<Server> {
  const port = await freePort()
  if (hasNginx) {
    const body = JSON.stringify({ padding: 'x'.repeat(1000) })
    return startNginx('upstream', port, `default_type application/json; return 200 '${body}';`)
  }
  const args = ['--import', 'tsx', 'bench/upstream.ts', String(port)]
  const log = join(folder, 'upstream.out')
  const readyUrl = `http://127.0.0.1:${port}/`
  return { ...(await run({ file: process.execPath, args, log, readyUrl })), port }
}

export async function startNginxProxy(upstream: Server): Promise<Server> {
  const port = await freePort()
  const location = `proxy_pass http://upstream; proxy_http_version 1.1; proxy_set_header Connection "";`
  const pool = `upstream upstream { server 127.0.0.1:${upstream.port}; keepalive 256; }`
  return startNginx('proxy', port, location, pool)
}

export interface GatewayOptions {
  readonly upstream: Server
  readonly issuer: string
  readonly audience: string
  /** YAML of the `replay` mapping. */
  readonly replay: string
  /** YAML members of the issuer besides. */
  readonly introspection?: string
}

export async function startGateway(options: GatewayOptions): Promise<Server> {
  const [port, adminPort] = [await freePort(), await freePort()]
  const file = join(folder, `gateway-${port}.yaml`)
  const upstream = `http://127.0.0.1:${options.upstream.port}`
  writeFileSync(
    file,
    `server: { listen: 127.0.0.1:${port}, publicUrl: http://127.0.0.1:${port} }
admin: { listen: 127.0.0.1:${adminPort} }
issuers:
  bench:
    issuer: ${options.issuer}
    audience: ${options.audience}
    ${options.introspection ?? ''}
replay: ${options.replay}
routes:
  - { name: orders, path: /orders/*, upstream: ${upstream}, scopes: [read] }
  - { name: open, path: /open/*, upstream: ${upstream}, access: public }
`,
  )
  const running = await run({
    file: process.execPath,
    args: ['dist/main.js', 'start', '--config', file],
    log: join(folder, `gateway-${port}.log`),
    readyUrl: `http://127.0.0.1:${adminPort}/readyz`,
  })
  return { ...running, port }
}

async function startNginx(
  name: string,
  port: number,
  location: string,
  http = '',
): Promise<Server> {
  const file = join(folder, `${name}.conf`)
  writeFileSync(
    file,
    `worker_processes 1; daemon off; pid ${folder}/${name}.pid; error_log stderr error;
events { worker_connections 1024; }
http {
  access_log ${folder}/${name}.log; keepalive_requests 1000000;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((it) => `${it}_temp_path ${folder};`).join(' ')}
  large_client_header_buffers 8 16k;
  ${http}
  server { listen 127.0.0.1:${port}; location / { ${location} } }
}
`,
  )
  const readyUrl = `http://127.0.0.1:${port}/`
  const log = join(folder, `${name}.out`)
  const running = await run({ file: 'nginx', args: ['-c', file, '-p', folder], log, readyUrl })
  return { ...running, port }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => {
        resolve(typeof address === 'object' && address ? address.port : 0)
      })
    })
  })
}
