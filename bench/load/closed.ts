/** A closed loop: each connection sends its next request once it has its answer. */
import { openConnection, type Connection } from './connection.ts'
import { requireStatus, type Load, type LoadResult } from './result.ts'

export async function keepBusy(load: Load): Promise<LoadResult> {
  const { requests, connections } = load
  const latencies = new Float64Array(requests.length)
  let next = 0
  const take = () => (next < requests.length ? next++ : undefined)
  const startedAt = performance.now()
  await Promise.all(
    Array.from({ length: Math.min(connections, requests.length) }, () =>
      drive(load, take, latencies),
    ),
  )
  return { seconds: (performance.now() - startedAt) / 1000, latencies: latencies.sort() }
}

function drive(
  { port, requests, expected }: Load,
  take: () => number | undefined,
  latencies: Float64Array,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let connection: Connection | undefined
    let at: number | undefined
    let sentAt = 0

    const send = () => {
      at = take()
      const request = at === undefined ? undefined : requests[at]
      if (!request || !connection) {
        connection?.close()
        resolve()
        return
      }
      sentAt = performance.now()
      connection.send(request)
    }
    const open = () => {
      openConnection(port, {
        onFault: reject,
        onAnswer(answer) {
          if (at !== undefined) latencies[at] = performance.now() - sentAt
          requireStatus(answer, expected)
          if (!answer.closes) {
            send()
            return
          }
          connection?.close()
          open()
        },
      }).then((opened) => {
        connection = opened
        send()
      }, reject)
    }
    open()
  })
}
