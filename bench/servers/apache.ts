/** Apache with mod_oauth2, as Debian packages it (libapache2-mod-oauth2). */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { folder, isInstalled } from '../process.ts'
import type { PeerOptions } from './peers.ts'
import { freePort, serve, type Server } from './server.ts'

const MODULES = '/usr/lib/apache2/modules'

export const apacheMissing =
  isInstalled('apache2') && existsSync(`${MODULES}/mod_oauth2.so`)
    ? undefined
    : 'not installed (apt-get install libapache2-mod-oauth2)'

/** In one process, with more threads than there are connections: it closes those it has no thread for. */
export async function startApache(options: PeerOptions): Promise<Server> {
  const port = await freePort()
  const name = `apache-${port}`
  const file = join(folder, `${name}.conf`)
  writeFileSync(file, configOf(options, port, name))
  return serve(port, {
    file: 'apache2',
    args: ['-f', file, '-D', 'FOREGROUND'],
    log: `${name}.out`,
    readyUrl: `http://127.0.0.1:${port}/`,
    readyStatus: 401,
    cpus: options.cpus,
  })
}

function configOf({ upstream, issuer, redisPort }: PeerOptions, port: number, name: string) {
  const modules = ['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'proxy', 'proxy_http']
  // Its default of 1,000 entries, all of which a request looks through: with 50,000, enough not to forget
  // proofs that are still good, it costs 20 times as much.
  const shm = 'OAuth2Cache shm name=store&max_entries=1000'
  const redis = `OAuth2Cache redis name=store&host=127.0.0.1&port=${redisPort}&encrypt=false`
  const verify = [
    'type=dpop',
    'verify.iss=skip',
    'cache=store',
    'jwks_uri.cache=store',
    'dpop.cache=store',
    // Proofs are signed before the clock starts.
    'dpop.iat.slack.before=90',
    'dpop.iat.slack.after=30',
    'verify.iat.slack.before=3600',
  ]
  return `ServerRoot "${folder}"
ServerName 127.0.0.1
DefaultRuntimeDir "${folder}"
PidFile "${folder}/${name}.pid"
Listen 127.0.0.1:${port}
${modules.map((it) => `LoadModule ${it}_module ${MODULES}/mod_${it}.so`).join('\n')}
LoadModule oauth2_module ${MODULES}/mod_oauth2.so
LoadModule env_module ${MODULES}/mod_env.so
ErrorLog "${folder}/${name}.error.log"
LogLevel error
LogFormat "%h %t \\"%r\\" %>s %b %D" access
CustomLog "${folder}/${name}.access.log" access
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 75
StartServers 1
ServerLimit 1
ThreadsPerChild 128
ThreadLimit 128
MaxRequestWorkers 128
${redisPort === undefined ? shm : redis}
<Location />
  AuthType oauth2
  OAuth2TokenVerify jwks_uri ${issuer}/jwks ${verify.join('&')}
  OAuth2AcceptTokenIn header name=Authorization&type=DPoP
  OAuth2TargetPass prefix=X-Auth-
  Require valid-user
  ProxyPass http://127.0.0.1:${upstream.port}/ keepalive=On connectiontimeout=5
</Location>
`
}
