/**
 * Runs tap with the arguments given and, where a program is missing that tests run against, says at
 * the end what was not run. In CI that is an error: there everything has to run. Of a run of all
 * tests the coverage has to be enough.
 */

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { coverageProblem, forgetCoverage } from './coverage.ts'

/** Each with the argument it answers at once, and how to get it. */
const PROGRAMS = [
  {
    name: 'redis-server',
    argument: '--version',
    how: 'install Redis 7 or later (apt-get install redis-server, brew install redis)',
  },
  {
    name: 'nginx',
    argument: '-v',
    how: 'install nginx (apt-get install nginx, brew install nginx)',
  },
  {
    name: 'haproxy',
    argument: '-v',
    how: 'install HAProxy (apt-get install haproxy, brew install haproxy)',
  },
  {
    name: 'chromium',
    argument: '--version',
    how: 'install Chromium, as chromium on the path (apt-get install chromium)',
  },
]

const missing = PROGRAMS.filter(({ name, argument }) => spawnSync(name, [argument]).status !== 0)
if (missing.length > 0 && process.env['CI'] === 'true') {
  for (const { name, how } of missing) {
    console.error(`${name} is not installed, and in CI no test may be skipped: ${how}`)
  }
  process.exit(1)
}

const args = process.argv.slice(2)
forgetCoverage()
const directory = mkdtempSync(join(tmpdir(), 'dpop-gateway-test-'))
const skippedFile = join(directory, 'skipped')
const { status, signal, error } = spawnSync('tap', args, {
  stdio: 'inherit',
  // npm puts it on the path too; this is for those who run the script by itself.
  env: {
    ...process.env,
    PATH: `${join('node_modules', '.bin')}:${process.env['PATH'] ?? ''}`,
    SKIPPED_TESTS_FILE: skippedFile,
  },
})

if (existsSync(skippedFile)) {
  const files = [...new Set(readFileSync(skippedFile, 'utf8').trim().split('\n'))].sort()
  const names = missing.map(({ name }) => name).join(' and ')
  const ways = missing.map(({ how }) => how).join('; ')
  console.log(
    `Not run, or in part, for want of ${names}: ${files.join(', ')}. To run them, ${ways}.`,
  )
}
rmSync(directory, { recursive: true })

if (error !== undefined) console.error(`tap did not start: ${error.message}`)
if (signal !== null) console.error(`tap was ended by ${signal}`)
process.exitCode = status ?? 1

const ranAll = missing.length === 0 && args.every((arg) => arg.startsWith('-'))
const problem = ranAll ? coverageProblem() : undefined
if (problem !== undefined) {
  console.error(`Coverage: ${problem}`)
  process.exitCode = 1
}
