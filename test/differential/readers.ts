/** Real servers that say whether they would have served something protected. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, posix } from 'node:path'
import { parse } from 'node:url'
import type { Test } from 'tap'
import { choosePort } from '../../demo/listen.ts'
import { until } from '../support/until.ts'

export const nginxMissing =
  spawnSync('nginx', ['-v']).status === 0 ? false : 'nginx is not installed'

export const PROTECTED = 'protected'

/** How a server works out which handler a target is for. */
type Read = (target: string) => string

const withoutQuery = (target: string) => target.replace(/[?#].*$/s, '')
const withoutParameters = (path: string) => path.replaceAll(/;[^/]*/g, '')
// eslint-disable-next-line @typescript-eslint/no-deprecated -- what Express still reads with
const parsed = (target: string) => parse(target).pathname ?? '/'

const READERS: Readonly<Record<string, Read>> = {
  url: (target) => new URL(target, 'http://localhost').pathname,
  'url-decoded': (target) => decodeURIComponent(new URL(target, 'http://localhost').pathname),
  'decoded-url': (target) => new URL(decodeURIComponent(target), 'http://localhost').pathname,
  static: (target) => posix.normalize(decodeURIComponent(parsed(target))),
  'static-twice': (target) =>
    posix.normalize(decodeURIComponent(decodeURIComponent(parsed(target)))),
  'static-windows': (target) =>
    posix.normalize(decodeURIComponent(parsed(target)).replaceAll('\\', '/')),
  router: (target) => parsed(target),
  parameters: (target) =>
    posix.normalize(withoutParameters(decodeURIComponent(withoutQuery(target)))),
}

/** As routers that are not told otherwise compare: in any case, with a slash at the end or without. */
const SECRET = /^\/(?:admin(?:\/.*)?|api\/[^/]+\/secret\/?|private\/?)$/is

/** All the ways to read a target with Node; the answer says which of them came to what is protected. */
export async function startNode(t: Test): Promise<string> {
  const server = createServer(({ url = '' }, response) => {
    const found = Object.keys(READERS).filter((name) => SECRET.test(tryRead(READERS[name], url)))
    response.end(found.length === 0 ? 'public' : `${PROTECTED}: ${found.join()}`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function tryRead(read: Read | undefined, target: string): string {
  try {
    return read?.(target) ?? ''
  } catch {
    return '' // Such a server answers 400.
  }
}

/** nginx three times: as it comes, without merging slashes, and decoding for what is behind it. */
export async function startNginx(t: Test, behind: string): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'path-readers-'))
  const ports = [await choosePort(0), await choosePort(0), await choosePort(0)] as const
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  const server = (port: number, rest: string) =>
    `server { listen 127.0.0.1:${port}; default_type text/plain; ${rest} }`
  const secrets = `
    location / { return 200 public; }
    location ^~ /admin/ { return 200 ${PROTECTED}; }
    location = /private { return 200 ${PROTECTED}; }
    location ~* ^/(admin/|private/?$|api/[^/]+/secret/?$) { return 200 ${PROTECTED}; }`
  const config = `
    daemon off; pid ${folder}/pid; worker_processes 1; error_log stderr crit;
    events { worker_connections 512; }
    http {
      access_log off;
      ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n')}
      ${server(ports[0], `merge_slashes on; ${secrets}`)}
      ${server(ports[1], `merge_slashes off; ${secrets}`)}
      ${server(ports[2], `location / { proxy_pass ${behind}$uri$is_args$args; }`)}
    }`
  writeFileSync(join(folder, 'nginx.conf'), config)
  const args = ['-p', folder, '-c', `${folder}/nginx.conf`, '-e', 'stderr']
  const nginx = spawn('nginx', args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const exit = once(nginx, 'exit')
  t.teardown(async () => {
    nginx.kill('SIGTERM')
    await exit
    rmSync(folder, { recursive: true })
  })
  const urls = ports.map((port) => `http://127.0.0.1:${port}`)
  const answers = (url: string) =>
    fetch(url).then(
      ({ ok }) => ok,
      () => false,
    )
  for (const url of urls) await until(() => answers(url), 30_000)
  return urls
}
