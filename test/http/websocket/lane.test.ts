/** RFC 6455 §5: whatever goes by and however it is cut, what arrives is whole frames and one Close. */
import fc from 'fast-check'
import t from 'tap'
import { createFrames } from '../../../src/http/websocket/frames.ts'
import { createLane, POLICY_VIOLATION } from '../../../src/http/websocket/lane.ts'

const CLOSE = Buffer.from([0x88, 2, 0x03, 0xf0])
const MASK = Buffer.from([1, 2, 3, 4])
const MASKED_CLOSE = Buffer.from([0x88, 0x82, 1, 2, 3, 4, 0x03 ^ 1, 0xf0 ^ 2])

/** With the length written in one, three or nine bytes. */
function frame(opcode: number, length: number, isMasked: boolean): Buffer {
  const extended = Buffer.alloc(length > 65_535 ? 8 : length > 125 ? 2 : 0)
  if (extended.length > 0)
    extended.writeUIntBE(length, Math.max(0, extended.length - 4), Math.min(4, extended.length))
  const short = extended.length === 8 ? 127 : extended.length === 2 ? 126 : length
  const head = Buffer.from([0x80 | opcode, (isMasked ? 0x80 : 0) | short])
  return Buffer.concat([
    head,
    extended,
    isMasked ? MASK : Buffer.alloc(0),
    Buffer.alloc(length, 0x88),
  ])
}

const frames = fc.array(
  fc.record({
    opcode: fc.constantFrom(0, 1, 2, 9, 10),
    length: fc.constantFrom(0, 1, 125, 126, 127, 65_535, 65_536, 70_000),
  }),
  { minLength: 1, maxLength: 6 },
)

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = [0, ...at.map((it) => it % bytes.length).sort((a, b) => a - b), bytes.length]
  return places.slice(1).map((end, nth) => bytes.subarray(places[nth], end))
}

for (const isMasked of [false, true]) {
  t.test(`closed anywhere, ${isMasked ? 'to the upstream' : 'to the client'}`, async () => {
    fc.assert(
      fc.property(frames, fc.array(fc.nat(), { maxLength: 12 }), fc.nat(13), (list, places, at) => {
        const all = list.map(({ opcode, length }) => frame(opcode, length, isMasked))
        const chunks = cut(Buffer.concat(all), places)
        const lane = createLane(isMasked ? () => MASK : undefined)
        const close = isMasked ? MASKED_CLOSE : CLOSE
        const out: Buffer[] = []
        let before = 0
        for (const [nth, chunk] of chunks.entries()) {
          if (nth === at) out.push(...lane.close(POLICY_VIOLATION))
          if (nth < at) before += chunk.length
          out.push(...lane.pass(chunk))
        }
        const received = Buffer.concat(out)
        if (at >= chunks.length) return received.equals(Buffer.concat(all))
        // All frames begun before, whole, and then the Close frame.
        const bounds = all.reduce<number[]>(
          (ends, it) => [...ends, (ends.at(-1) ?? 0) + it.length],
          [0],
        )
        const end = bounds.find((bound) => bound >= before) ?? 0
        const expected = Buffer.concat([Buffer.concat(all).subarray(0, end), close])
        return received.equals(expected) && lane.isOver()
      }),
    )
  })
}

t.test('§5.5.1: nothing follows the Close frame of the sender, not even one', async (t) => {
  const lane = createLane()
  t.strictSame(lane.pass(CLOSE.subarray(0, 3)), [CLOSE.subarray(0, 3)])
  t.notOk(lane.hasSenderClosed(), 'not while it is under way')
  t.strictSame(lane.close(POLICY_VIOLATION), [])
  t.strictSame(
    Buffer.concat(lane.pass(Buffer.concat([CLOSE.subarray(3), CLOSE]))),
    CLOSE.subarray(3),
  )
  t.ok(lane.hasSenderClosed() && lane.isOver())
})

t.test('it is closed once', async (t) => {
  const lane = createLane()
  t.strictSame(lane.close(POLICY_VIOLATION), [CLOSE])
  t.strictSame(lane.close(POLICY_VIOLATION), [])
  t.strictSame(lane.pass(frame(1, 5, false)), [])
  t.notOk(lane.hasSenderClosed())
  lane.pass(CLOSE)
  t.ok(lane.hasSenderClosed(), 'that of the other side is seen')
})

t.test('a frame of 2^63 bytes never ends', async (t) => {
  const endless = createFrames()
  endless.read(Buffer.from([0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0]))
  endless.read(Buffer.alloc(100_000))
  t.notOk(endless.isAtBoundary())
})
