/** Where the record of a request goes: the log and the metrics. */
import type { Metrics } from './admin/metrics.ts'
import type { Recorder } from './http/record.ts'
import type { Logger } from './log.ts'

export function createRecorder(metrics: Metrics, logger: Logger, accessLog: boolean): Recorder {
  return {
    access: accessLog
      ? (line) => {
          // An outage is the operator's to mend; a refusal is everyday.
          logger[line.status >= 500 ? 'warn' : 'info'](line, 'request')
        }
      : () => undefined,
    sample: metrics.sample,
    fault: (error, requestId) => {
      logger.error({ err: error, requestId }, 'a request met a bug')
    },
  }
}
