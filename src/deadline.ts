/** Resolves to what the work gives, or to `late` when it takes longer than `timeoutMs`. */
export function within<T>(timeoutMs: number, work: Promise<T>): Promise<T | 'late'> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      // Timers run before sockets are read. Where this process was busy the reply may be there
      // already, and gets one turn of the event loop to be seen.
      setImmediate(resolve, 'late')
    }, timeoutMs)
    work.then(resolve, reject).finally(() => {
      clearTimeout(timer)
    })
  })
}
