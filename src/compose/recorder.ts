/** Where the record of a request goes: the log and the metrics. */
import type { Metrics } from '../admin/metrics.ts'
import type { AccessLine, Recorder } from '../http/record.ts'
import type { Logger } from '../log.ts'

export function createRecorder(metrics: Metrics, logger: Logger, accessLog: boolean): Recorder {
  const log = (line: Partial<AccessLine>) => {
    if (accessLog) logger[isAlarming(line) ? 'warn' : 'info'](line, 'request')
  }
  return {
    access: accessLog ? log : undefined,
    sample: metrics.sample,
    malformed({ code, requestId, client }) {
      metrics.countMalformed(code)
      log({ requestId, route: 'none', client, code })
    },
    fault: (error, requestId) => {
      logger.error({ err: error, requestId }, 'a request met a bug')
    },
  }
}

/** A refusal is everyday. An outage is the operator's to mend, and a leaked key the client's. */
function isAlarming({ status = 0, code }: Partial<AccessLine>): boolean {
  return status >= 500 || code === 'proof_key_private'
}
