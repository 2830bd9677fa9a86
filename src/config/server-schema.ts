/** The keys of gateway.yaml that concern the process: what it listens on, and its limits. */

import { z } from 'zod'
import { findNetworkFault, listen } from './address.ts'
import { duration, durationOrNone, size, sizeOrNone } from './quantity.ts'
import { text } from './text.ts'
import { ServerTls } from './tls-schema.ts'
import { findOriginFault, findUrlFault, normaliseUrl } from './url.ts'

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

const publicUrl = z.codec(
  z.union([text('URL', findUrlFault), z.array(text('origin', findOriginFault)).min(1)]),
  z.union([z.string(), z.array(z.string())]),
  {
    decode: (value) =>
      typeof value === 'string' ? normaliseUrl(value) : [...new Set(value.map(normaliseUrl))],
    encode: (value) => value,
  },
)

const Limits = z.strictObject({
  headerBytes: size({ min: '1KiB', max: '1MiB' })
    .prefault('16KiB')
    .describe('Most bytes all header fields of a request have together; more is answered 431.'),
  headerCount: z
    .int()
    .min(1)
    .max(10_000)
    .default(100)
    .describe('Most header fields a request has; more is answered 431.'),
  tokenBytes: size({ min: '256B', max: '1MiB' })
    .prefault('8KiB')
    .describe('Longest access token that is looked at.'),
  proofBytes: size({ min: '256B', max: '1MiB' })
    .prefault('8KiB')
    .describe('Longest proof that is looked at.'),
  bodyBytes: sizeOrNone()
    .prefault('none')
    .describe('Largest request body, or `none` for no limit; more is answered 413.'),
  connections: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(10_000)
    .describe('Most client connections open at a time; a further one is closed at once.'),
  pipelined: z
    .int()
    .min(1)
    .max(10_000)
    .default(100)
    .describe('Most requests one connection may have waiting for their answers.'),
  eventLoopDelay: durationOrNone({ min: '20ms', max: '1m' })
    .prefault('1s')
    .describe(
      'How late timers of the process may be, three times in a row, before new requests are answered ' +
        '503 until it has caught up, or `none` for no limit.',
    ),
})

const Timeouts = z.strictObject({
  headers: duration({ min: '1ms' })
    .prefault('10s')
    .describe('How long a client may take to send the header of a request.'),
  request: duration({ min: '1ms' })
    .prefault('5m')
    .describe('How long a client may take to send a whole request, body and all.'),
  keepAlive: duration({ min: '1ms' })
    .prefault('75s')
    .describe('How long an idle client connection stays open.'),
})

const Drain = z.strictObject({
  delay: duration()
    .prefault('5s')
    .describe('How long after SIGTERM requests are still taken while /readyz says 503.'),
  timeout: duration({ min: '1ms' })
    .prefault('25s')
    .describe('How long requests under way get to finish after that.'),
})

export const Server = z.strictObject({
  listen: listen()
    .prefault('0.0.0.0:8080')
    .describe('Where clients are served: `host:port`, `[::]:port` or `unix:/path`.'),
  tls: ServerTls.optional().describe(
    'Certificate the gateway shows its clients (TLS 1.2 and 1.3). Left out: plain HTTP, for a proxy ' +
      'in front that ends TLS.',
  ),
  http2: z
    .boolean()
    .default(false)
    .describe('Whether clients may speak HTTP/2 too. Needs `server.tls`.'),
  publicUrl: publicUrl
    .optional()
    .describe(
      'What clients call; htu of a proof must equal this and the path of the request. One URL, ' +
        'which is pinned whatever Host says and may carry a path prefix, or a list of origins ' +
        'of which Host picks one. Left out: scheme and host of the request itself.',
    ),
  trustedProxies: z
    .array(text('network', findNetworkFault))
    .prefault([])
    .describe(
      'IP addresses and CIDR blocks whose Forwarded and X-Forwarded-* headers are believed. ' +
        'Left out: nobody.',
    ),
  workers: z
    .union([z.literal('auto', 'expected a number, or auto'), z.int().min(1).max(256)])
    .default(1)
    .describe(
      'Processes that share the listener; `auto` is one for each processor. More than one need ' +
        '`replay.store: redis`.',
    ),
  watch: z
    .boolean()
    .default(false)
    .describe(
      'Whether the configuration is reloaded when this file, or one it names, changes. Without it ' +
        'SIGHUP does that.',
    ),
  limits: Limits.prefault({}).describe(
    'How much is taken from clients, and when new requests are refused.',
  ),
  timeouts: Timeouts.prefault({}).describe('How long a client may take.'),
  drain: Drain.prefault({}).describe('How the gateway stops without failing a request.'),
})

export const Admin = z.strictObject({
  listen: listen()
    .prefault('127.0.0.1:9901')
    .describe(
      'Where health, readiness, metrics and the keys for assertions (`/jwks`) are served. Out of ' +
        'reach of clients; upstreams that verify assertions must reach it.',
    ),
})

export const Log = z.strictObject({
  level: z.enum(LOG_LEVELS).default('info').describe('Least severe level that is logged.'),
  accessLog: z.boolean().default(true).describe('Whether each request is logged, in one line.'),
})
