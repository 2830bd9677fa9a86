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
  NOAUTH: 'asks for a password: put it into replay',
  WRONGPASS: 'refuses the user name or password in replay',
  NOPERM:
    'does not let this user run all it needs: grant +set, +get and +info, and for a cluster +asking, +cluster|slots and +cluster|info',
  LOADING: 'is still loading its data',
  OOM: 'has no memory left for proofs: raise its maxmemory',
  NOREPLICAS: 'has fewer replicas than its min-replicas-to-write asks for, and takes no proofs',
  MISCONF: 'cannot save its data, and takes no proofs until it can',
  BUSY: 'is busy with a script that does not end',
  CERTIFICATE: 'has a certificate that is not trusted: see replay.tls',
}

/** Of Sentinel, where there is a sentence of its own. */
const SENTINEL_SENTENCES: Readonly<Record<string, string>> = {
  NOAUTH: 'has Sentinels that ask for a password: put it into replay.sentinel.sentinelPassword',
  WRONGPASS: 'has Sentinels that refuse the user name or password in replay.sentinel',
  NOPERM: 'has Sentinels that do not let this user ask: grant +sentinel|get-master-addr-by-name',
}

const SENTINELS_FAILED = 'All sentinels are unreachable'

/** Whether Redis answered, and the answer was an error. */
export function isReply(error: unknown): error is Error {
  return error instanceof (ReplyError as typeof Error)
}

/** The word Redis puts first in an error reply, such as `READONLY`, or `disconnected`. */
export function faultWord(error: unknown): string {
  const cause = lastNodeError(error)
  if (cause) return faultWord(cause)
  if (isReply(error)) return /^[A-Z]+/.exec(error.message)?.[0] ?? 'ERR'
  return lastReplyWord(error) ?? 'disconnected'
}

/** The end of a sentence that begins with the server's name. Never repeats what was sent to it. */
export function faultSentence(error: unknown): string {
  const { message } = error instanceof Error ? error : new Error()
  if (message.startsWith(SENTINELS_FAILED)) return sentinelSentence(message)
  const cause = lastNodeError(error)
  if (cause) return faultSentence(cause)
  const word = isReply(error) ? faultWord(error) : (lastReplyWord(error) ?? errorCode(error))
  if (word !== undefined) return SENTENCES[word] ?? `cannot be used (${word})`
  if (message.startsWith('Socket timeout') || message === 'timeout') return 'does not answer'
  // What ioredis says of a node it could not ask.
  return message === 'Connection is closed.' ? 'cannot be reached' : 'broke the connection'
}

/** Where all nodes of a cluster have failed: the reason of the last. */
function lastNodeError(error: unknown): unknown {
  return error instanceof Error && 'lastNodeError' in error ? error.lastNodeError : undefined
}

/** A command that was sent on from node to node of a cluster too often fails with the last answer. */
function lastReplyWord(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  return /redirections\. Last error: ReplyError: ([A-Z]+)/.exec(error.message)?.[1]
}

function sentinelSentence(message: string): string {
  const last = /Last error: (.*)/s.exec(message)?.[1]
  if (last === undefined) return 'is not known to any Sentinel: see replay.sentinel.name'
  const word = /^[A-Z]+/.exec(last)?.[0] ?? ''
  return SENTINEL_SENTENCES[word] ?? 'has no Sentinel that answers'
}

function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  const { code } = error
  if (typeof code !== 'string') return undefined
  return /CERT|UNABLE_TO_(GET|VERIFY)/.test(code) ? 'CERTIFICATE' : code
}
