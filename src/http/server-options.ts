/** What the listener of the traffic is told. */
import type { Upgrade } from './upgrade.ts'
import type { Recorder } from './record.ts'
import type { Certificate } from './tls.ts'

export interface ServerOptions {
  readonly limits: {
    readonly headerBytes: number
    readonly headerCount: number
    readonly connections: number
    /** Requests of one connection under way at once. */
    readonly pipelined: number
  }
  /** Milliseconds. */
  readonly timeouts: {
    readonly headers: number
    readonly request: number
    readonly keepAlive: number
  }
  /** Left out: plain HTTP. */
  readonly certificate?: Certificate | undefined
  /** Whether clients may speak HTTP/2 too, which needs a certificate. Default is false. */
  readonly http2?: boolean
  /** Takes WebSockets. Left out: there are none, and who asks for one is answered as if not. */
  readonly upgrade?: Upgrade | undefined
  readonly onMalformed: Recorder['malformed']
  /** Whether connections are to end with the answer under way. */
  readonly isDraining: () => boolean
}
