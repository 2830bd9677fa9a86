/** A real browser without a window, with a profile of its own, gone when the test is. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import type { Owner } from '../support/owner.ts'

/** Whether there is a Chromium to start. Tests that need one have `{ skip: chromiumMissing }`. */
const chromiumAvailable = spawnSync('chromium', ['--version']).status === 0
export const chromiumMissing = chromiumAvailable ? false : 'chromium is not installed'

// scripts/test.ts reads it and says at the end what was not run.
const skippedFile = process.env['SKIPPED_TESTS_FILE']
if (!chromiumAvailable && skippedFile !== undefined) {
  appendFileSync(skippedFile, `${relative('.', process.argv[1] ?? 'unknown')}\n`)
}

const ARGUMENTS = [
  '--headless',
  '--no-sandbox', // It does not start as root otherwise, and the pages are our own.
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-extensions',
  '--disable-sync',
  '--no-first-run',
  '--no-proxy-server',
]

/** Opens a page. What becomes of it, the page has to tell. */
export function openPage(t: Owner, url: string): void {
  const profile = mkdtempSync(join(tmpdir(), 'dpop-gateway-chromium-'))
  const args = [...ARGUMENTS, `--user-data-dir=${profile}`, url]
  const browser = spawn('chromium', args, {
    detached: true, // In a process group of their own: a browser is many processes.
    stdio: 'ignore',
    env: { ...process.env, TMPDIR: profile },
  })
  const exit = once(browser, 'exit')
  t.teardown(async () => {
    if (browser.pid !== undefined && browser.exitCode === null)
      process.kill(-browser.pid, 'SIGKILL')
    await exit
    // Its children may still be writing.
    rmSync(profile, { recursive: true, force: true, maxRetries: 10 })
  })
}
