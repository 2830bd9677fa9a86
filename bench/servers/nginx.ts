/** nginx: the upstream of every subject, and as a plain proxy the limit they are compared with. */
import { truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { folder, isInstalled } from '../process.ts'
import { freePort, serve, type Server } from './server.ts'

export const hasNginx = isInstalled('nginx')

export const DOWNLOAD_BYTES = 100 * 2 ** 20
export const DOWNLOAD_PATH = '/orders/download'

export interface Upstream extends Server {
  /** Requests it has had so far. */
  readonly requests: () => Promise<number>
}

/** 1 KiB of JSON for every request but the download. */
export async function startUpstream(): Promise<Upstream> {
  const port = await freePort()
  const server = hasNginx ? await startNginxUpstream(port) : await startNodeUpstream(port)
  const count = async () => {
    const text = await (await fetch(`http://127.0.0.1:${port}/requests`)).text()
    // Of nginx's three numbers the last: connections accepted, connections handled, requests.
    return Number(/^\s*\d+\s+\d+\s+(\d+)/m.exec(text)?.[1] ?? text)
  }
  let asked = 0
  return {
    ...server,
    async requests() {
      asked += 1 // Which it counts too.
      return (await count()) - asked
    },
  }
}

export async function startNginxProxy(upstream: Server, cpus: string | undefined): Promise<Server> {
  const location = `proxy_pass http://upstream; proxy_http_version 1.1; proxy_set_header Connection "";`
  const pool = `upstream upstream { server 127.0.0.1:${upstream.port}; keepalive 256; }`
  return startNginx(await freePort(), { name: 'proxy', location, http: pool, cpus })
}

function startNginxUpstream(port: number): Promise<Server> {
  const file = join(folder, 'download')
  writeFileSync(file, '')
  truncateSync(file, DOWNLOAD_BYTES) // Of zeros, which take no room.
  const body = JSON.stringify({ padding: 'x'.repeat(1000) })
  return startNginx(port, {
    name: 'upstream',
    location: `default_type application/json; return 200 '${body}';`,
    server: `location = ${DOWNLOAD_PATH} { alias ${file}; }
      location = /requests { stub_status; }`,
  })
}

function startNodeUpstream(port: number): Promise<Server> {
  return serve(port, {
    file: process.execPath,
    args: ['--import', 'tsx', 'bench/servers/node-upstream.ts', String(port)],
    log: 'upstream.out',
    readyUrl: `http://127.0.0.1:${port}/`,
  })
}

interface NginxOptions {
  readonly name: string
  readonly location: string
  /** Besides, in the server and in http. */
  readonly server?: string
  readonly http?: string
  readonly cpus?: string | undefined
}

function startNginx(
  port: number,
  { name, location, server = '', http = '', cpus }: NginxOptions,
): Promise<Server> {
  const file = join(folder, `${name}.conf`)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  writeFileSync(
    file,
    `worker_processes 1; daemon off; pid ${folder}/${name}.pid; error_log stderr error;
events { worker_connections 4096; }
http {
  access_log ${folder}/${name}.log; keepalive_requests 1000000; sendfile on;
  ${temporary.map((it) => `${it}_temp_path ${folder};`).join(' ')}
  large_client_header_buffers 8 16k; client_body_buffer_size 64k;
  ${http}
  server { listen 127.0.0.1:${port}; ${server} location / { ${location} } }
}
`,
  )
  return serve(port, {
    file: 'nginx',
    args: ['-c', file, '-p', folder],
    log: `${name}.out`,
    readyUrl: `http://127.0.0.1:${port}/`,
    cpus,
  })
}
