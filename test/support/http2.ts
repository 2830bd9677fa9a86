/** A client of HTTP/2 for tests, and a gateway that speaks it. */
import { once } from 'node:events'
import {
  connect,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionOptions,
  type OutgoingHttpHeaders,
} from 'node:http2'
import { text } from 'node:stream/consumers'
import type { SecureClientSessionOptions } from 'node:http2'
import { createCertificates, type Certificates } from './certificates.ts'
import type { Owner } from './owner.ts'
import { createStage, type Stage, type StageOptions } from './stage.ts'

export interface TlsStage extends Stage {
  readonly certificates: Certificates
  /** The origin of the gateway. */
  readonly url: string
}

export interface TlsStageOptions extends Omit<StageOptions, 'server'> {
  /** YAML lines of the `server` mapping besides TLS, each indented by two. */
  readonly server?: string
  /** Default is true. */
  readonly http2?: boolean
}

/** One public route for everything, unless told otherwise. */
export async function createTlsStage(t: Owner, options: TlsStageOptions = {}): Promise<TlsStage> {
  const certificates = createCertificates(t)
  const { certFile, keyFile } = certificates.issue('gateway')
  const stage = await createStage(t, {
    routes: ({ url }) => `- { name: all, path: /*, access: public, upstream: ${url} }`,
    ...options,
    server: [
      `  tls: { cert: ${certFile}, key: ${keyFile} }`,
      `  http2: ${options.http2 ?? true}`,
      options.server ?? '',
    ].join('\n'),
  })
  return { ...stage, certificates, url: `https://localhost:${stage.port}` }
}

/** A connection, closed with the test. */
export async function openHttp2(
  t: Owner,
  { url, certificates }: Pick<TlsStage, 'url' | 'certificates'>,
  options: ClientSessionOptions | SecureClientSessionOptions = {},
): Promise<ClientHttp2Session> {
  const session = connect(url, { ca: certificates.ca, ...options })
  t.teardown(() => {
    session.destroy()
  })
  session.on('error', () => undefined) // Some tests are about that.
  await once(session, 'connect')
  return session
}

export interface Http2Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

/** Sends a request and resolves with the whole answer; rejects where it is broken off. */
export async function request2(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders = {},
  body?: string,
): Promise<Http2Answer> {
  const stream = session.request({ ':path': '/x', ...headers }, { endStream: body === undefined })
  if (body !== undefined) stream.end(body)
  return answerOf(stream)
}

export async function answerOf(stream: ClientHttp2Stream): Promise<Http2Answer> {
  const gone = new Promise<never>((_, reject) => {
    stream.on('error', reject)
    stream.on('close', () => {
      if (stream.rstCode !== 0) reject(new Error(`reset with ${stream.rstCode}`))
      else setImmediate(reject, new Error('closed without an answer'))
    })
  })
  gone.catch(() => undefined)
  const headers = await Promise.race([
    new Promise<Http2Answer['headers']>((resolve) => stream.once('response', resolve)),
    gone,
  ])
  const body = await text(stream)
  return { status: Number(headers[':status']), headers, body }
}

/** The code of a refusal. */
export function codeOf({ body }: Http2Answer): unknown {
  return (JSON.parse(body) as Record<string, unknown>)['code']
}
