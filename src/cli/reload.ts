/** When the configuration is read again: on SIGHUP, and with `server.watch` when a file of it changes. */
import { unwatchFile, watchFile } from 'node:fs'
import { loadFile, type Loaded } from '../config/load.ts'
import { ConfigError } from '../config/problem.ts'
import type { Gateway } from '../gateway.ts'

/**
 * Files are asked for their state, as notifications of the system miss what happens behind a
 * symbolic link: Kubernetes swaps one to change all files of a volume at once.
 */
const POLL_MS = 1_000
/** A file that changes once more within that time is still being written. */
const SETTLED_MS = 1_500

/** Returns what ends it. */
export function reloadOnChange(gateway: Gateway, file: string, { config, files }: Loaded) {
  const watch = config.server.watch ? createWatch(files, () => void reload()) : undefined

  async function reload(): Promise<void> {
    await gateway.reload(() => {
      try {
        const loaded = loadFile(file)
        watch?.use(loaded.files)
        return loaded.config
      } catch (error) {
        // What is missing may be one of them, and come later.
        if (error instanceof ConfigError) watch?.use([...new Set([file, ...error.files])])
        throw error
      }
    })
  }

  const onSignal = () => void reload()
  process.on('SIGHUP', onSignal)
  return () => {
    process.off('SIGHUP', onSignal)
    watch?.use([])
  }
}

/** The names are of no consequence where a file is a link: its target is what is looked at. */
function createWatch(initial: readonly string[], onChange: () => void) {
  let watched: readonly string[] = []
  let settled: NodeJS.Timeout | undefined

  function onPoll(): void {
    clearTimeout(settled)
    settled = setTimeout(onChange, SETTLED_MS)
    settled.unref()
  }

  function use(files: readonly string[]): void {
    for (const file of watched) if (!files.includes(file)) unwatchFile(file, onPoll)
    for (const file of files) {
      if (!watched.includes(file)) watchFile(file, { interval: POLL_MS, persistent: false }, onPoll)
    }
    watched = files
    if (files.length === 0) clearTimeout(settled)
  }

  use(initial)
  return { use }
}
