/**
 * A table of tokens as one make of authorization server issues them, each sent through a whole
 * gateway: either the API learns whose it is, or the refusal is named.
 */
import type { Test } from 'tap'
import type { Client, ProofOptions } from '../support/client.ts'
import type { Overrides } from '../support/jwks-server.ts'
import { PUBLIC_URL, type Stage, type StageRequest } from '../support/stage.ts'

/** What a server writes into each of its tokens. */
export interface Facts {
  readonly issuer: string
  /** Thumbprint of the client's key. */
  readonly jkt: string
  readonly now: number
}

/** A token of a server. */
export interface Shape {
  /** Of the JWT. Without one the token is opaque, and the claims are how its introspection answers. */
  readonly header?: Overrides
  readonly claims: (facts: Facts) => Overrides
}

export interface Row {
  readonly name: string
  /** What is otherwise in the claims of the shape; undefined leaves a member out. */
  readonly claims?: Overrides
  readonly header?: Overrides
  readonly proof?: (client: Client) => Partial<ProofOptions>
  /** Request target. Default is `/api/orders`. */
  readonly path?: string
  /** What the API learns, or how the request is refused. */
  readonly answer: Identity | `${number} ${string}`
}

/** A member that is left out is a header that is not sent. */
export interface Identity {
  readonly subject?: string
  readonly client?: string
  readonly scope?: string
}

export function answerTokens(t: Test, stage: Stage, shape: Shape, rows: readonly Row[]): void {
  for (const row of rows) {
    t.test(row.name, async (t) => {
      const { requests } = stage.upstream
      const before = requests.length
      const { status, code } = await stage.send(await requestOf(stage, shape, row))
      if (typeof row.answer === 'string') {
        t.equal(`${status} ${code ?? ''}`, row.answer)
        t.equal(requests.length, before, 'the API sees nothing of it')
        return
      }
      t.equal(status, 200, code ?? 'passes')
      t.strictSame(learnt(stage), {
        ...row.answer,
        issuer: stage.authority.issuer,
        thumbprint: stage.client.thumbprint,
      })
    })
  }
}

async function requestOf(stage: Stage, shape: Shape, row: Row): Promise<StageRequest> {
  const { client } = stage
  const { path = '/api/orders', proof = () => ({}) } = row
  const token = await tokenOf(stage, shape, row)
  const signed = await client.proof({ url: PUBLIC_URL + path, token, ...proof(client) })
  return { token, path, proof: signed }
}

function tokenOf({ authority, client }: Stage, shape: Shape, row: Row): string | Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  const facts = { issuer: authority.issuer, jkt: client.thumbprint, now }
  const claims = { ...shape.claims(facts), ...row.claims }
  return shape.header === undefined
    ? authority.introspection.answer(claims)
    : authority.sign(JSON.stringify(claims), { ...shape.header, ...row.header })
}

/** What the latest request told the API. Fails where a header came twice. */
function learnt({ upstream }: Stage): Overrides {
  const names = ['subject', 'client', 'scope', 'issuer', 'thumbprint']
  return Object.fromEntries(
    names.flatMap((name) => {
      const values = upstream.requests.at(-1)?.values(`x-auth-${name}`) ?? []
      return values.length === 0 ? [] : [[name, values.join(' and ')]]
    }),
  )
}
