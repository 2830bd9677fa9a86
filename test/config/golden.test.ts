/** cases/*.yaml: a configuration, a line, and every message it must give. None: it must load. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseConfig } from '../../src/config/load.ts'
import { ConfigError, formatProblem } from '../../src/config/problem.ts'

const SEPARATOR = '---expect---\n'
const env = {
  NUMBER: '42',
  FALSE: 'false',
  EMPTY: '',
  HOST: 'as.example.com',
  STRUCTURE: 'info\nroutes: []',
}

function messagesOf(text: string): readonly string[] {
  try {
    parseConfig(text, { file: 'gateway.yaml', env, baseDir: import.meta.dirname })
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
