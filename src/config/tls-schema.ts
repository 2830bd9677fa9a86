/** The keys of gateway.yaml that concern TLS, towards clients and towards upstreams. */
import { z } from 'zod'
import { form, text } from './text.ts'

export const pemFile = text('path', form(/\S/, 'must not be empty'))
const hostname = text(
  'host name',
  form(/^(?=.{1,253}$)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*$/i, 'expected a host name'),
)

export const ServerTls = z.strictObject({
  cert: pemFile.describe(
    'File with the certificate, and behind it those of the authorities between, in PEM. ' +
      'Relative to this file, and read again on reload.',
  ),
  key: pemFile.describe('File with the private key of the certificate in PEM, not encrypted.'),
})

export const UpstreamTls = z.strictObject({
  ca: pemFile
    .optional()
    .describe(
      'File with the certificates, in PEM, that the upstream must be certified by. Left out: those ' +
        'Node comes with.',
    ),
  serverName: hostname
    .optional()
    .describe('Name its certificate must be for. Left out: the host of the URL.'),
})
