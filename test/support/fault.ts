/** The ways in which an endpoint of an authorization server fails. */
import type { ServerResponse } from 'node:http'

/** Answers with the document, or with whatever becomes of it. */
export type Respond = (response: ServerResponse, document: object) => void

export type Fault = keyof typeof FAULTS

export const json: Respond = (response, document) => {
  response.setHeader('content-type', 'application/json').end(JSON.stringify(document))
}

export const FAULTS = {
  hang: () => undefined,
  drip(response) {
    const timer = setInterval(() => response.write(' '), 10)
    response.on('close', () => {
      clearInterval(timer)
    })
  },
  reset: (response) => void response.socket?.resetAndDestroy(),
  html: (response) => void response.end('<!doctype html><title>Maintenance</title>'),
  redirect: (response) => void response.writeHead(307, { location: '/elsewhere' }).end(),
  large: (response, document) => {
    json(response, { ...document, padding: 'x'.repeat(1024 * 1024) })
  },
  array: (response, document) => {
    json(response, [document])
  },
  duplicate: (response, document) => {
    response.end(JSON.stringify(document).replace('{', '{"active":false,'))
  },
  cut: (response, document) => void response.end(JSON.stringify(document).slice(0, -1)),
  nothing: (response) => void response.end(),
} as const satisfies Record<string, Respond>
