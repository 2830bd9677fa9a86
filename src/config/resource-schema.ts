/** The keys of gateway.yaml that say how a resource describes itself to clients (RFC 9728). */

import { z } from 'zod'
import { form, text } from './text.ts'
import { findPageFault } from './url.ts'

const title = {
  name: text('text', form(/\S/, 'must not be empty'))
    .optional()
    .describe('Name for people (`resource_name`).'),
  documentation: text('URL', findPageFault)
    .optional()
    .describe('Page that explains the API to developers (`resource_documentation`).'),
}

/** The resource of one route. */
export const RouteResource = z.strictObject(title)

export const Resource = z.strictObject({
  metadata: z
    .boolean()
    .default(true)
    .describe(
      'Whether metadata is served, with `server.publicUrl`, at ' +
        '`/.well-known/oauth-protected-resource`, and named in challenges.',
    ),
  ...title,
})
