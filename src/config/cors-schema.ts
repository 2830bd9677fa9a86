/** The keys of gateway.yaml that concern pages of other origins. */
import { z } from 'zod'
import { duration } from './quantity.ts'
import { distinct, form, text } from './text.ts'

/** The gateway compares origins with what browsers send, character by character. */
function findPageOriginFault(origin: string): string | undefined {
  if (origin === '*') return undefined
  if (!/^[a-z][a-z\d+.-]*:\/\/[^\s/?#@*,]+\/?$/i.test(origin) || !URL.canParse(origin)) {
    return 'expected an origin such as https://app.example.com, or *'
  }
  const { protocol, host } = new URL(origin)
  const written = `${protocol}//${host}`
  return written === origin ? undefined : `browsers write this origin ${written}`
}

const headerName = text(
  'header name',
  form(/^[\w!#$%&'+.^`|~-]+$/, 'expected the name of one header'),
)

export const Cors = z.strictObject({
  origins: distinct(text('origin', findPageOriginFault)).describe(
    'Origins whose pages may use this route, each exactly as browsers send it. `"*"` alone: any.',
  ),
  credentials: z
    .boolean()
    .default(false)
    .describe('Whether pages may send cookies along. Tokens and proofs need no such leave.'),
  maxAge: duration({ max: '24h' })
    .prefault('10m')
    .describe('How long browsers may remember the answer to a preflight.'),
  exposeHeaders: z
    .array(headerName)
    .prefault([])
    .describe(
      'Headers of answers that pages may read, beside `DPoP-Nonce` and `WWW-Authenticate`.',
    ),
  allowHeaders: z
    .array(headerName)
    .prefault([])
    .describe('Headers pages may send, beside `Authorization`, `DPoP` and `Content-Type`.'),
})
