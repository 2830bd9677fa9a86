/** What went wrong between the gateway and Redis, as a word for metrics and a sentence for people. */

import { ReplyError } from 'ioredis'

const SENTENCES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refuses connections',
  ECONNRESET: 'broke the connection',
  EPIPE: 'broke the connection',
  ENOENT: 'has no such socket',
  EACCES: 'does not let this user open its socket',
  ENOTFOUND: 'has a host name that cannot be resolved',
  EAI_AGAIN: 'has a host name that cannot be resolved at the moment',
  ETIMEDOUT: 'does not accept connections in time',
  EHOSTUNREACH: 'cannot be reached',
  ENETUNREACH: 'cannot be reached',
  NOAUTH: 'asks for a password: put it into replay.url',
  WRONGPASS: 'refuses the user name or password in replay.url',
  NOPERM: 'does not let this user run SET and INFO: grant +set and +info',
}

/** Whether Redis answered, and the answer was an error. */
export function isReply(error: unknown): error is Error {
  return error instanceof (ReplyError as typeof Error)
}

/** The word Redis puts first in an error reply, such as `READONLY`, or `disconnected`. */
export function faultWord(error: unknown): string {
  if (!isReply(error)) return 'disconnected'
  return /^[A-Z]+/.exec(error.message)?.[0] ?? 'ERR'
}

/** The end of a sentence that begins with the server's name. Never repeats what was sent to it. */
export function faultSentence(error: unknown): string {
  const word = isReply(error) ? faultWord(error) : errorCode(error)
  if (word !== undefined) return SENTENCES[word] ?? `cannot be used (${word})`
  if (error instanceof Error && error.message.startsWith('Socket timeout')) return 'does not answer'
  return 'broke the connection'
}

function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
