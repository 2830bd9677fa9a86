/**
 * An open WebSocket between its client and its upstream. All that goes through is followed frame by
 * frame, so that the gateway can close it with a code at any time.
 */
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import type { FarEnd } from './far-end.ts'
import { createLane, GOING_AWAY, type CloseCode } from './lane.ts'

export interface Tunnel {
  /** Sends a Close frame either way, and destroys what is not closed by itself in time. */
  readonly close: (code: CloseCode) => void
  /** Resolves when both connections are gone. */
  readonly closed: Promise<void>
}

export interface TunnelEnds {
  readonly client: Socket
  /** What http-proxy is about to join with the upstream. */
  readonly far: FarEnd
  readonly upstream: Socket
}

/** For the frame under way to end, and for the other side to close too. */
const GRACE_MS = 5000
/** Until a peer that is silent is asked whether it is still there. */
const KEEP_ALIVE_MS = 60_000

/** It is closed too where neither side has sent a byte for `idleTimeoutMs`. */
export function openTunnel({ client, far, upstream }: TunnelEnds, idleTimeoutMs: number): Tunnel {
  const { stream } = far
  const toClient = createLane()
  const toUpstream = createLane(() => randomBytes(4))
  let isClosing = false
  let grace: NodeJS.Timeout | undefined

  const giveGrace = () => {
    grace ??= setTimeout(() => {
      client.destroy()
      upstream.destroy()
    }, GRACE_MS)
  }
  /** RFC 6455 §7.1.1: the server ends the connection once both sides have sent a Close frame. */
  const endWhenClosed = () => {
    if (!isClosing || !toClient.isOver() || !toUpstream.hasSenderClosed()) return
    client.end()
    stream.push(null)
  }
  const pushAll = (pieces: readonly Buffer[]) => {
    for (const piece of pieces) if (!stream.push(piece)) client.pause()
  }
  const close = (code: CloseCode) => {
    if (isClosing) return
    isClosing = true
    giveGrace()
    for (const piece of toClient.close(code)) client.write(piece)
    pushAll(toUpstream.close(code))
    // What is not passed on any more is read all the same: the Close frame of the client is in it.
    client.resume()
    endWhenClosed()
  }
  const idle = setTimeout(close, idleTimeoutMs, GOING_AWAY)

  far.attach((chunk) => {
    idle.refresh()
    const pieces = toClient.pass(chunk)
    if (isClosing) setImmediate(endWhenClosed) // Once they are written.
    return pieces
  })
  for (const peer of [client, upstream]) {
    peer.setTimeout(0).setNoDelay(true)
    // http-proxy sets its own on the upstream when it joins the two.
    setImmediate(() => peer.setKeepAlive(true, KEEP_ALIVE_MS))
    peer.on('error', () => peer.destroy())
  }
  client
    .on('data', (chunk: Buffer) => {
      idle.refresh()
      pushAll(toUpstream.pass(chunk))
      endWhenClosed()
    })
    .once('end', () => stream.push(null))
    .once('finish', giveGrace)
    .once('close', () => {
      // A client that has taken leave may have sent something before that is still on its way.
      if (isClosing || client.readableEnded) giveGrace()
      else upstream.destroy()
    })
  upstream.once('close', () => stream.end())
  const closed = Promise.all([client, upstream].map(whenClosed)).then(() => {
    clearTimeout(idle)
    clearTimeout(grace)
    stream.destroy()
  })
  return { close, closed }
}

function whenClosed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => {
      resolve()
    })
  })
}
