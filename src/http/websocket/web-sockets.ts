/** The WebSockets that are open, over all configurations. */
import type { CloseCode } from './lane.ts'
import type { Tunnel } from './tunnel.ts'

export { GOING_AWAY } from './lane.ts'

export interface WebSockets {
  readonly count: () => number
  readonly add: (tunnel: Tunnel) => void
  /** Closes all, and at once what opens after that. Resolves when they are gone. */
  readonly closeAll: (code: CloseCode) => Promise<void>
}

export function createWebSockets(): WebSockets {
  const tunnels = new Set<Tunnel>()
  let farewell: CloseCode | undefined
  return {
    count: () => tunnels.size,
    add(tunnel) {
      tunnels.add(tunnel)
      void tunnel.closed.then(() => tunnels.delete(tunnel))
      if (farewell !== undefined) tunnel.close(farewell)
    },
    async closeAll(code) {
      farewell = code
      for (const tunnel of tunnels) tunnel.close(code)
      await Promise.all([...tunnels].map(({ closed }) => closed))
    },
  }
}
