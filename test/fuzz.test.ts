/**
 * Whatever comes in over the wire, the answer is a refusal out of the table: no 500, no exit, no
 * unhandled rejection. A failing run prints its seed.
 */
import fc from 'fast-check'
import t from 'tap'
import { REFUSALS } from '../src/denial.ts'
import { sendRaw } from './support/raw-http.ts'
import { createStage, type Answer, type Stage } from './support/stage.ts'

const RUNS = { numRuns: 500 }

/** The status of every refusal. */
const statuses = new Map<string, number>(
  Object.entries(REFUSALS).map(([code, { status }]) => [code, status]),
)

/** Bytes a header field can hold, with those that mean something here more often. */
const fieldValue = fc.oneof(
  fc.string({ unit: 'binary-ascii', maxLength: 60 }),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  fc
    .array(
      fc.constantFrom(
        'DPoP',
        'Bearer',
        ' ',
        '\t',
        ',',
        '.',
        '=',
        '"',
        'eyJhbGciOiJub25lIn0',
        'e30',
        '\x80',
      ),
    )
    .map((words) => words.join('')),
)
const endsTheHead = (raw: string) => `\r\n${raw}`.replaceAll('\r', '').includes('\n\n')
const noLineEnd = (text: string) => text.replaceAll(/[\r\n]/g, '')

const unhandled: unknown[] = []
process.on('unhandledRejection', (reason) => unhandled.push(reason))

t.test('#258 fields of a request: a refusal, never a 500', async (t) => {
  const stage = await createStage(t)
  await fc.assert(
    fc.asyncProperty(fieldValue, fieldValue, async (authorization, proof) => {
      const answer = await get(stage, [
        `Authorization: ${noLineEnd(authorization)}`,
        `DPoP: ${noLineEnd(proof)}`,
      ])
      requireRefusal(answer)
    }),
    RUNS,
  )
  await fc.assert(
    fc.asyncProperty(fieldValue, async (raw) => {
      // Bytes behind a whole request may end the connection instead: test/http/server.test.ts.
      const answer = await get(stage, [raw]).catch((error: unknown) => {
        if (endsTheHead(raw) && /closed before a response: ""/.test(String(error))) return undefined
        throw error
      })
      if (answer) requireRefusal(answer)
    }),
    { ...RUNS, examples: [['\r\n\u0000']] },
  )
  t.equal(stage.upstream.requests.length, 0)
  t.equal((await stage.send()).status, 200, 'and it still serves')
  t.strictSame(
    stage.log().filter(({ level }) => Number(level) >= 50),
    [],
    'no bug was logged',
  )
})

async function get(stage: Stage, lines: readonly string[]) {
  const head = [
    'GET /api/orders HTTP/1.1',
    'Host: localhost',
    'Connection: close',
    ...lines,
    '',
    '',
  ]
  return sendRaw(stage.port, Buffer.from(head.join('\r\n'), 'latin1'))
}

function requireRefusal({ status, body }: Pick<Answer, 'status' | 'body'>): void {
  const { code } = JSON.parse(body) as { code: string }
  if (statuses.get(code) !== status) throw new Error(`${status} ${code}`)
}

t.test('nothing was left unhandled', async (t) => {
  t.strictSame(unhandled, [])
})
