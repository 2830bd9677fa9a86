/**
 * A table of requests that go through a whole gateway. Each is valid but for the one thing its row
 * names, and each row says how it is answered: `200`, or the status and the code of the refusal.
 */
import type { Test } from 'tap'
import type { Client, ProofOptions } from '../support/client.ts'
import type { Overrides } from '../support/jwks-server.ts'
import type { Header } from '../support/raw-http.ts'
import { PUBLIC_URL, type Answer, type Stage } from '../support/stage.ts'
import { forge, type Forgery } from './forge.ts'

export interface Row {
  /** Begins with the number of the case. */
  readonly name: string
  /** `200`, or for example `401 proof_method`. */
  readonly answer: string
  /** Default is the client of the stage. The token is bound to its key. */
  readonly client?: Client
  readonly method?: string
  /** The request target. Default is `/api/orders`. */
  readonly path?: string
  readonly headers?: readonly Header[]
  readonly claims?: Overrides
  readonly tokenHeader?: Overrides
  readonly token?: string
  readonly proof?: Partial<ProofOptions>
  /** Changes below the level of JSON, signed like the rest. */
  readonly forgery?: Forgery
  /** What happens to the finished proof. */
  readonly edit?: (proof: string) => string
}

/** What the challenge names, by how the code of a refusal begins. */
const ERRORS = {
  token: 'invalid_token',
  proof: 'invalid_dpop_proof',
  proof_nonce: 'use_dpop_nonce',
} as const

export function answerTable(t: Test, stage: Stage, rows: readonly Row[]): void {
  for (const row of rows) {
    t.test(row.name, async (t) => {
      const { requests } = stage.upstream
      const before = requests.length
      const answer = await sendRow(stage, row)
      t.equal(outcome(answer), row.answer)
      t.equal(requests.length - before, row.answer === '200' ? 1 : 0, 'reached the upstream')
      const [, family] = /^401 (token|proof_nonce|proof)/.exec(row.answer) ?? []
      if (family !== undefined) {
        const error = ERRORS[family as keyof typeof ERRORS]
        t.match(answer.values('www-authenticate'), [new RegExp(`^DPoP error="${error}", `)])
      }
    })
  }
}

/** Sends what the row describes. */
export async function sendRow(stage: Stage, row: Omit<Row, 'name' | 'answer'>): Promise<Answer> {
  const { client = stage.client, method = 'GET', path = '/api/orders', forgery, edit } = row
  const cnf = { jkt: client.thumbprint }
  const token = row.token ?? (await stage.mint({ cnf, ...row.claims }, row.tokenHeader))
  const valid = await client.proof({ method, url: PUBLIC_URL + path, token, ...row.proof })
  const forged = forgery === undefined ? valid : await forge(valid, client, forgery)
  const proof = edit?.(forged) ?? forged
  return stage.send({ token, proof, method, path, headers: row.headers ?? [] })
}

export function outcome({ status, code }: Answer): string {
  return code === undefined ? String(status) : `${status} ${code}`
}
