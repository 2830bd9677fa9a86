/** `health`: asks a running gateway whether it is ready, for a container's health check. */
import { request } from 'node:http'
import type { Config } from '../config/schema.ts'
import { commandError, createCommand } from './command.ts'
import { CONFIG_OPTION, readConfig } from './config.ts'

const USAGE = `usage: dpop-gateway health [FILE | --config FILE]

Prints what /readyz of the admin listener says; the exit code is 0 only if the gateway is ready.

  --config FILE  The configuration the gateway runs with. Default is gateway.yaml.
`
const TIMEOUT_MS = 3000

export const health = createCommand({
  name: 'health',
  usage: USAGE,
  options: CONFIG_OPTION,
  operand: 'optional',
  async run({ config: option }, { stdout, stderr }, operand) {
    const { config } = readConfig(option, operand, stderr).loaded
    const { status, body } = await askReadiness(config.admin.listen)
    stdout.write(body)
    if (status !== 200) throw commandError('not ready')
  },
})

function askReadiness(
  listen: Config['admin']['listen'],
): Promise<{ readonly status: number; readonly body: string }> {
  const where = 'path' in listen ? { socketPath: listen.path } : reachable(listen)
  return new Promise((resolve, reject) => {
    const call = request({ ...where, path: '/readyz', timeout: TIMEOUT_MS }, (answer) => {
      let body = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, body })
      })
    })
    call.on('timeout', () => call.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)))
    call.on('error', (error) => {
      reject(commandError(error.message))
    })
    call.end()
  })
}

/** An address that means all interfaces cannot be called. */
function reachable({ host, port }: { readonly host: string; readonly port: number }) {
  if (host === '0.0.0.0') return { host: '127.0.0.1', port }
  return { host: host === '::' ? '::1' : host, port }
}
