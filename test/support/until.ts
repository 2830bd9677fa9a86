import { setTimeout as pause } from 'node:timers/promises'

/** Asks again and again until the answer is yes, and gives up after `timeoutMs`. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 5000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`still not so after ${timeoutMs} ms`)
    await pause(5)
  }
}
