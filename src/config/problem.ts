/** What is wrong with a configuration, and where in the file it stands. */

export type KeyPath = readonly PropertyKey[]

/** A mistake at a key path, before its place in the file is known. */
export interface Fault {
  readonly path: KeyPath
  readonly message: string
  /** Whether the mistake is the key itself and not its value. Default is false. */
  readonly atKey?: true
}

export interface Problem {
  readonly file: string
  /** Counted from 1, as editors do. */
  readonly line: number
  readonly column: number
  /** Such as `routes[0].scopes`; empty where the mistake belongs to no key. */
  readonly path: string
  readonly message: string
}

/** A configuration the gateway does not start with. Holds every mistake, in the order of the file. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly Problem[]
  /** Every file it names, as far as it could be read. */
  readonly files: readonly string[]

  constructor(problems: readonly Problem[], files: readonly string[] = []) {
    super(problems.map(formatProblem).join('\n'))
    this.problems = problems
    this.files = files
  }
}

/** `gateway.yaml:12:7 routes[0].scops: unknown key (did you mean "scopes"?)` */
export function formatProblem({ file, line, column, path, message }: Problem): string {
  const subject = path === '' ? '' : `${path}: `
  return `${file}:${line}:${column} ${subject}${message}`
}

export function formatPath(path: KeyPath): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`
    const name = String(key)
    if (!/^[\w-]+$/.test(name)) return `${text}[${JSON.stringify(name)}]`
    return text === '' ? name : `${text}.${name}`
  }, '')
}
