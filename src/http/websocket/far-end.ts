/**
 * Stands in for the socket of the client where http-proxy joins it with the upstream, so that
 * nothing goes from one to the other but what the gateway lets through.
 */
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'

/** What the client is to get of what the upstream sends. */
export type Pass = (chunk: Buffer) => readonly Buffer[]

export interface FarEnd {
  readonly stream: Duplex
  /** To be called before http-proxy writes to it. */
  readonly attach: (pass: Pass) => void
}

export function createFarEnd(client: Socket): FarEnd {
  let pass: Pass | undefined
  let isHeaderDue = true
  const stream = new Duplex({
    read: () => void client.resume(),
    write(chunk: Buffer, _, done) {
      // The first thing http-proxy writes is the header of the answer, which is written already.
      const pieces = isHeaderDue ? [] : (pass?.(chunk) ?? [])
      isHeaderDue = false
      let isTaken = true
      for (const piece of pieces) isTaken = client.write(piece)
      if (isTaken || client.destroyed) done()
      else client.once('drain', done)
    },
    final(done) {
      // http-proxy ends it where the handshake fails too: the client is still to be answered.
      if (pass) client.end()
      done()
    },
  })
  // http-proxy takes it for a socket; how the real ones are set is not its concern.
  const asIs = () => stream
  Object.assign(stream, { setTimeout: asIs, setNoDelay: asIs, setKeepAlive: asIs })
  return {
    stream,
    attach(given) {
      pass = given
    },
  }
}
