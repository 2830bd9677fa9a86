/**
 * Runs tap with the arguments given and, where there is no redis-server to test against, says at the
 * end what was not run. In CI that is an error: there everything has to run. Of a run of all tests
 * the coverage has to be enough.
 */

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { coverageProblem, forgetCoverage } from './coverage.ts'

const HOW = 'install Redis 7 or later (apt-get install redis-server, brew install redis)'

const redisMissing = spawnSync('redis-server', ['--version']).status !== 0
if (redisMissing && process.env['CI'] === 'true') {
  console.error(`redis-server is not installed, and in CI no test may be skipped: ${HOW}`)
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
  console.log(`Not run for want of a redis-server: ${files.join(', ')}. To run them, ${HOW}.`)
}
rmSync(directory, { recursive: true })

if (error !== undefined) console.error(`tap did not start: ${error.message}`)
if (signal !== null) console.error(`tap was ended by ${signal}`)
process.exitCode = status ?? 1

const ranAll = !redisMissing && args.every((arg) => arg.startsWith('-'))
const problem = ranAll ? coverageProblem() : undefined
if (problem !== undefined) {
  console.error(`Coverage: ${problem}`)
  process.exitCode = 1
}
