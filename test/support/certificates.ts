/** Certificates of an authority of the test's own, in files, made by openssl. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Owner } from './owner.ts'

export interface CertificateOptions {
  /** Default is `DNS:localhost,IP:127.0.0.1`. */
  readonly names?: string
  /** As openssl has it. Default is valid for a day from now. */
  readonly from?: string
  readonly to?: string
}

export interface Certificates {
  readonly folder: string
  /** Certificate of the authority, in PEM. */
  readonly ca: string
  readonly caFile: string
  /** Writes `<name>.crt`, with the authority behind it, and `<name>.key`. */
  readonly issue: (name: string, options?: CertificateOptions) => IssuedCertificate
}

export interface IssuedCertificate {
  readonly cert: string
  readonly key: string
  readonly certFile: string
  readonly keyFile: string
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

export function createCertificates(t: Owner): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'certificates-'))
  t.teardown(() => {
    rmSync(folder, { recursive: true })
  })
  const openssl = (...parameters: string[]) =>
    execFileSync('openssl', parameters, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  const read = (name: string) => readFileSync(join(folder, name), 'utf8')
  openssl(...['req', '-x509', ...NEW_KEY, '-keyout', 'ca.key', '-out', 'ca.pem'], '-subj', '/CN=ca')
  const ca = read('ca.pem')
  writeFileSync(join(folder, 'index.txt'), '')
  writeFileSync(join(folder, 'ca.cnf'), CA_SETTINGS)
  return {
    folder,
    ca,
    caFile: join(folder, 'ca.pem'),
    issue(name, { names = 'DNS:localhost,IP:127.0.0.1', from, to } = {}) {
      const [certFile, keyFile] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)]
      writeFileSync(join(folder, `${name}.ext`), `subjectAltName=${names}\n`)
      openssl('req', ...NEW_KEY, '-keyout', keyFile, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
      openssl(
        ...['ca', '-batch', '-config', 'ca.cnf', '-create_serial', '-notext'],
        ...['-in', `${name}.csr`, '-out', certFile, '-extfile', `${name}.ext`],
        ...(from === undefined ? [] : ['-startdate', from]),
        ...(to === undefined ? ['-days', '1'] : ['-enddate', to]),
      )
      writeFileSync(certFile, readFileSync(certFile, 'utf8') + ca)
      return { cert: read(`${name}.crt`), key: read(`${name}.key`), certFile, keyFile }
    },
  }
}

const CA_SETTINGS = `[ca]
default_ca = own
[own]
certificate = ca.pem
private_key = ca.key
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
`
