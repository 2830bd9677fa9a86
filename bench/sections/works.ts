/** The kinds of work that are measured. */
import type { Caller } from '../callers.ts'
import type { Work } from '../measure.ts'
import type { RequestForm } from '../requests.ts'
import { scaled, type Plan } from '../report/section.ts'
import { DOWNLOAD_PATH } from '../servers/nginx.ts'

export type Clients = 'ES256' | 'EdDSA' | 'RS256' | 'opaque'

/** Who sends it, and what. */
export interface Task extends Work {
  readonly name: string
  readonly clients: Clients
}

export type Everyone = Readonly<Record<Clients, readonly Caller[]>>

const POST: RequestForm = { method: 'POST', body: Buffer.alloc(10 * 1024, 'x') }
const DOWNLOAD: RequestForm = { pathOf: () => DOWNLOAD_PATH }

export type Tasks = ReturnType<typeof tasksOf>

/** Counts are such that a round of all of them takes less than a minute, and proofs stay young. */
export function tasksOf(plan: Plan) {
  const count = (wanted: number) => scaled(plan, wanted)
  const task = (name: string, work: Work, clients: Clients = 'ES256'): Task => ({
    name,
    clients,
    ...work,
  })
  return {
    get: task('GET, 1 KB of JSON', { count: count(20_000) }),
    opaque: task('the same, opaque token', { count: count(10_000) }, 'opaque'),
    eddsa: task('the same, EdDSA', { count: count(10_000) }, 'EdDSA'),
    // Half of its time is the client's: an RSA signature takes ten times what its verification does.
    rs256: task('the same, RS256', { count: count(4_000) }, 'RS256'),
    post: task('POST, 10 KB', { count: count(10_000), form: POST }),
    download: task('GET, 100 MB', {
      count: scaled(plan, 8, 2),
      connections: 2,
      form: DOWNLOAD,
    }),
    forgedProof: task('forged proof', {
      count: count(10_000),
      expected: 401,
      form: { credentials: 'forged proof' },
    }),
    forgedToken: task('forged token', {
      count: count(10_000),
      expected: 401,
      form: { credentials: 'forged token' },
    }),
    replay: task('replayed request', { count: count(10_000), expected: 401, isReplay: true }),
    bare: task('no credentials', {
      count: count(20_000),
      expected: 401,
      form: { credentials: 'none' },
    }),
    peer: task('GET, 1 KB of JSON', { count: count(6_000) }),
  }
}
