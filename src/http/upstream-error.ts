/** What went wrong with an upstream, as a Denial; undici's codes are translated here and nowhere else. */
import { Denial, type DenialCode } from '../denial.ts'

/** Codes of undici and Node that do not just mean the upstream could not be reached. */
const CODES: Readonly<Record<string, DenialCode>> = {
  UND_ERR_CONNECT_TIMEOUT: 'upstream_timeout',
  UND_ERR_HEADERS_TIMEOUT: 'upstream_timeout',
  UND_ERR_HEADERS_OVERFLOW: 'upstream_invalid',
  HTTPParserError: 'upstream_invalid',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'upstream_invalid',
  ERR_INVALID_CHAR: 'upstream_invalid',
  ERR_HTTP2_HEADER_SINGLE_VALUE: 'upstream_invalid',
  ERR_HTTP2_STATUS_INVALID: 'upstream_invalid',
  ERR_HTTP_INVALID_STATUS_CODE: 'upstream_invalid',
  // Raised before anything is sent, for what the client put into its request.
  UND_ERR_INVALID_ARG: 'header_invalid',
}

export interface UpstreamError {
  readonly denial: Denial
  /** False where the client's own request is what failed. */
  readonly isUpstreamsFault: boolean
}

export function translateUpstreamError(error: unknown): UpstreamError {
  if (error instanceof Denial) return { denial: error, isUpstreamsFault: false }
  const detail = codeOf(error)
  const code = CODES[detail] ?? 'upstream_unreachable'
  return {
    denial: new Denial(code, { detail, cause: error }),
    isUpstreamsFault: code !== 'header_invalid',
  }
}

/** Whether a connection that had been open was closed by the other side. */
export function isClosedConnection(error: unknown): boolean {
  return ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes(codeOf(error))
}

/** undici leaves the code out where its parser gave up. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  return 'code' in error && typeof error.code === 'string' && !error.code.startsWith('HPE_')
    ? error.code
    : error.name
}
