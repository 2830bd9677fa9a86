import { createServer, type Server } from 'node:net'

/** Both addresses of `localhost`: on either of them another server would answer in our place. */
const LOOPBACK = ['127.0.0.1', '::1']

/** The port people expect, or any free one where it is taken. */
export async function choosePort(preferred: number): Promise<number> {
  for (let port = preferred; ; port = 0) {
    const found = await claimed('127.0.0.1', port)
    if (found !== undefined && (await isFree(found))) return found
  }
}

export async function listen(server: Server, port: number, host: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen({ port, host }, resolve)
  })
}

async function isFree(port: number): Promise<boolean> {
  const ports = await Promise.all(LOOPBACK.map((host) => claimed(host, port)))
  return ports.every((found) => found !== undefined)
}

/** Takes the port for a moment and gives its number; undefined where it is taken. */
function claimed(host: string, port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.on('error', (error) => {
      // A machine without IPv6 has no ::1 that could be taken.
      const taken = !('code' in error) || !/^(EADDRNOTAVAIL|EAFNOSUPPORT)$/.test(String(error.code))
      resolve(taken ? undefined : port)
    })
    server.listen({ host, port }, () => {
      const address = server.address()
      server.close(() => {
        resolve(typeof address === 'object' ? address?.port : undefined)
      })
    })
  })
}
