/** What the gateway has to say about the answer of an upstream: a nonce, and what pages may read. */
import type { AnswerRules } from './answer.ts'
import type { OriginalRequest } from './original-request.ts'
import type { RequestRecord } from './record.ts'
import type { Route } from './route.ts'

/** RFC 9449 §8.2: an answer with a nonce is of one moment, so no cache may hold it. */
export function answerRules(
  { access, refusals, cors }: Route,
  { grant, observed }: Pick<RequestRecord, 'grant' | 'observed'>,
  request: OriginalRequest,
): AnswerRules {
  // Where nothing is refused clients learn of nonces too, or none would ever send one.
  const nonce = observed?.code === 'proof_nonce' ? refusals.nonce?.() : grant?.nonce
  return {
    passesNonce: access === 'proof' && (refusals.nonce === undefined || !grant),
    fields: nonce === undefined ? {} : { 'dpop-nonce': nonce, 'cache-control': 'no-store' },
    cors: cors?.answer(request.fields),
  }
}
