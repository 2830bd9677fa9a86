/** An answer of the gateway's own, on its way to the client. */
import type { OutgoingHttpHeaders } from 'node:http'
import { closeAfter } from './closing.ts'
import type { Message, Response } from './message.ts'
import type { RequestRecord } from './record.ts'
import type { RenderedRefusal } from './refuse.ts'

/** The body of the request is not read: the connection cannot be used for another one. */
export function send(
  { status, headers, body, close }: RenderedRefusal,
  { request }: RequestRecord,
  message: Message,
  response: Response,
): void {
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  const isBodyUnread = request?.hasBody !== false && !message.complete
  // Node closes a connection on which 100 Continue was asked for and not sent.
  const isRefusedToContinue = request?.expectsContinue === true
  if (close || isBodyUnread || isRefusedToContinue) closeAfter(message, response)
  response.writeHead(status, { ...headers } as OutgoingHttpHeaders).end(body)
}
