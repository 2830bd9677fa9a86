/** The way in as a reverse proxy: a request that is admitted goes on, any other one is answered. */
import { randomUUID } from 'node:crypto'
import { createAdmission, type AdmissionOptions, type Candidate } from './admission.ts'
import { answerRules } from './answer-rules.ts'
import { forward } from './forward.ts'
import type { Message, Response } from './message.ts'
import { recordWhenDone, type RequestRecord } from './record.ts'
import { upstreamFields, upstreamPath, type IdentityNames } from './upstream-request.ts'

export interface ProxyOptions extends AdmissionOptions {
  readonly identityNames: IdentityNames
}

/** Answers a request. It never rejects. */
export type Proxy = (message: Message, response: Response) => Promise<void>

export function createProxy(options: ProxyOptions): Proxy {
  const admission = createAdmission(options)
  return async (message, response) => {
    const record: RequestRecord = { requestId: randomUUID() }
    recordWhenDone(record, message, response, options.recorder)
    await admission.admit({ message, response, record }, (candidate) =>
      pass(candidate, record, message, response, options),
    )
  }
}

async function pass(
  { request, route }: Candidate,
  record: RequestRecord,
  message: Message,
  response: Response,
  { identityNames, maxBodyBytes }: ProxyOptions,
): Promise<void> {
  const { grant, requestId } = record
  // RFC 9110 §10.1.1: the client holds back its body until the request is authorized.
  if (request.expectsContinue) response.writeContinue()
  const { method, hasBody } = request
  const { responseTimeoutMs, idleTimeoutMs } = route
  const upstreamRequest = {
    method,
    path: (basePath: string) => upstreamPath(request, route, basePath),
    fields: upstreamFields(request, route, grant, { identityNames, requestId }),
    hasBody,
    maxBodyBytes,
    responseTimeoutMs,
    idleTimeoutMs,
    answer: answerRules(route, record, request),
  }
  await forward(route.upstreams, upstreamRequest, message, response)
}
