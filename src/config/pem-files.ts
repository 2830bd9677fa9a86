/** The certificates and keys that a configuration names: read once, and checked before use. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { z } from 'zod'
import { lenient } from './draft.ts'
import { reasonOf, type Surroundings } from './interpolate.ts'
import { readCertificates, readChain, readPrivateKey, requireUsable } from './pem.ts'
import { formatPath, type Fault, type KeyPath } from './problem.ts'

/** What is in them, by their paths as the configuration has them. */
export type PemFiles = ReadonlyMap<string, string>

const path = lenient(z.string().min(1))
const pair = { cert: path, key: path }
const Named = z.object({
  server: lenient(z.object({ tls: lenient(z.object(pair)) })),
  replay: lenient(z.object({ tls: lenient(z.object({ ca: path, ...pair })) })),
  routes: lenient(z.array(lenient(z.object({ upstreamTls: lenient(z.object({ ca: path })) })))),
})

interface Reader {
  readonly files: Map<string, string>
  readonly faults: Fault[]
  readonly surroundings: Surroundings
}

export function readPemFiles(
  value: unknown,
  surroundings: Surroundings,
): { readonly files: PemFiles; readonly faults: readonly Fault[] } {
  const { server, replay, routes = [] } = lenient(Named).parse(value) ?? {}
  const reader: Reader = { files: new Map(), faults: [], surroundings }
  readPair(reader, ['server', 'tls'], server?.tls)
  readPair(reader, ['replay', 'tls'], replay?.tls)
  read(reader, ['replay', 'tls', 'ca'], replay?.tls?.ca, readCertificates)
  for (const [at, route] of routes.entries()) {
    read(reader, ['routes', at, 'upstreamTls', 'ca'], route?.upstreamTls?.ca, readCertificates)
  }
  return reader
}

function readPair(
  reader: Reader,
  parent: KeyPath,
  { cert, key }: { readonly cert?: string | undefined; readonly key?: string | undefined } = {},
): void {
  const chain = read(reader, [...parent, 'cert'], cert, readChain)
  const privateKey = read(reader, [...parent, 'key'], key, readPrivateKey)
  if (!chain?.[0] || !privateKey) return
  const fits = chain[0].checkPrivateKey(privateKey)
  attempt(reader, [...parent, fits ? 'cert' : 'key'], () => {
    if (!fits) throw new Error(`is not the key of the certificate in ${formatPath(parent)}.cert`)
    requireUsable(textOf(reader, cert), textOf(reader, key))
  })
}

/** Undefined where there is none, or a fault. */
function read<Value>(
  reader: Reader,
  at: KeyPath,
  name: string | undefined,
  parse: (pem: string) => Value,
): Value | undefined {
  if (name === undefined) return undefined
  return attempt(reader, at, () => {
    const { files, surroundings } = reader
    const file = resolve(surroundings.baseDir, name)
    surroundings.onFile?.(file)
    const pem = files.get(name) ?? readText(name, file)
    files.set(name, pem)
    return parse(pem)
  })
}

function readText(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new Error(`cannot read ${name}: ${reasonOf(error)}`, { cause: error })
  }
}

function textOf({ files }: Reader, name = ''): string {
  return files.get(name) ?? ''
}

function attempt<Value>(reader: Reader, at: KeyPath, action: () => Value): Value | undefined {
  try {
    return action()
  } catch (error) {
    reader.faults.push({ path: at, message: error instanceof Error ? error.message : 'is wrong' })
    return undefined
  }
}
