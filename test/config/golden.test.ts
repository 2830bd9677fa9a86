/** cases/*.yaml: a configuration, a line, and every message it must give. None: it must load. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseConfig } from '../../src/config/load.ts'
import { ConfigError, formatProblem } from '../../src/config/problem.ts'
import { createCertificates } from '../support/certificates.ts'

const SEPARATOR = '---expect---\n'
const env = {
  NUMBER: '42',
  FALSE: 'false',
  EMPTY: '',
  HOST: 'as.example.com',
  STRUCTURE: 'info\nroutes: []',
}

// The files that some of them name.
const certificates = createCertificates(t)
const write = (name: string, text: string) => {
  writeFileSync(join(certificates.folder, name), text)
}
const [{ cert, key }, other] = [certificates.issue('tls'), certificates.issue('other')]
write('secret.txt', readFileSync(join(import.meta.dirname, 'secret.txt'), 'utf8'))
write('unrelated-chain.crt', cert + other.cert)
write('broken.crt', cert.replace(/\n.{20}/, '\nAAAA'))
write('encrypted.key', key.replaceAll('PRIVATE KEY', 'ENCRYPTED PRIVATE KEY'))

function messagesOf(text: string): readonly string[] {
  try {
    parseConfig(text, { file: 'gateway.yaml', env, baseDir: certificates.folder })
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(formatProblem)
  }
}

const folder = join(import.meta.dirname, 'cases')
for (const name of readdirSync(folder)) {
  t.test(name, async (t) => {
    const [input, expected] = readFileSync(join(folder, name), 'utf8').split(SEPARATOR)
    if (input === undefined || expected === undefined) throw new Error(`no ${SEPARATOR} in ${name}`)
    t.strictSame(messagesOf(input), expected.split('\n').filter(Boolean))
  })
}
