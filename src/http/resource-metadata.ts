/**
 * Protected resource metadata (RFC 9728): where a client reads which authorization servers, scopes
 * and proofs a resource asks for. Public, and the same for everybody.
 */
import { Denial } from '../denial.ts'
import type { RenderedRefusal } from './refuse.ts'

/** §3: stands between the host of a resource and its path. */
export const WELL_KNOWN = '/.well-known/oauth-protected-resource'

/** Metric and log label, in the place of a route. */
export const METADATA_ROUTE = 'resource-metadata'

export interface MetadataDocument {
  /** What clients call (`server.publicUrl`). */
  readonly publicUrl: string
  /** Canonical; begins with the well-known path. */
  readonly path: string
  readonly content: Readonly<Record<string, unknown>>
}

/** Answers a request for a document. Throws `method_unknown`. */
export type AnswerMetadata = (method: string) => RenderedRefusal

/** The document at a path of one of the public URLs; undefined where there is none. */
export type FindMetadata = (publicUrl: string, path: string) => AnswerMetadata | undefined

const METHODS = 'GET, HEAD, OPTIONS'

export function createFindMetadata(documents: readonly MetadataDocument[]): FindMetadata {
  const answers = new Map(
    documents.map(({ publicUrl, path, content }) => [
      `${publicUrl} ${path}`,
      createAnswer(content),
    ]),
  )
  return (publicUrl, path) =>
    path.startsWith(WELL_KNOWN) ? answers.get(`${publicUrl} ${path}`) : undefined
}

function createAnswer(content: MetadataDocument['content']): AnswerMetadata {
  const body = `${JSON.stringify(content)}\n`
  const document = {
    status: 200,
    headers: {
      'Content-Type': 'application/json',
      'Cache-Control': 'public, max-age=3600',
      'Access-Control-Allow-Origin': '*',
      'Content-Length': String(Buffer.byteLength(body)),
    },
    body,
    close: false,
  }
  return (method) => {
    if (method === 'OPTIONS') return PREFLIGHT
    if (method === 'GET' || method === 'HEAD') return document
    throw new Denial('method_unknown', { headers: { Allow: METHODS } })
  }
}

/** A page may name a protocol version in a field of its own, for which its browser asks first. */
const PREFLIGHT = {
  status: 204,
  headers: {
    Allow: METHODS,
    'Access-Control-Allow-Origin': '*',
    'Access-Control-Allow-Methods': METHODS,
    'Access-Control-Allow-Headers': '*',
    'Access-Control-Max-Age': '3600',
  },
  body: '',
  close: false,
}
