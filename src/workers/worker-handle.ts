/** One worker as the primary sees it: a process that is asked, and that may be gone at any time. */
import type { Worker } from 'node:cluster'
import { within } from '../deadline.ts'
import { HERE, type Kind, type Question, type Questions, type Reply } from './protocol.ts'

export interface WorkerHandle {
  /** No other worker has it, one that took its place neither. */
  readonly id: number
  readonly pid: number | undefined
  /** Rejects where the worker refuses (isRefusal), is gone, or does not answer in time. */
  readonly ask: <K extends Kind>(
    kind: K,
    value: Questions[K]['with'],
    timeoutMs: number,
  ) => Promise<Questions[K]['answer']>
  readonly kill: () => void
  readonly ended: Promise<Exit>
}

export interface Exit {
  readonly code: number | null
  readonly signal: string | null
}

interface Pending {
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: Error) => void
}

const REFUSED = 'ERR_WORKER_REFUSED'

/** Whether it is the worker's own answer. */
export function isRefusal(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && error.code === REFUSED
}

export function createWorkerHandle(worker: Worker): WorkerHandle {
  const pending = new Map<number, Pending>()
  let count = HERE
  const isHere = new Promise<unknown>((resolve, reject) => {
    pending.set(HERE, { resolve, reject })
  })
  isHere.catch(() => undefined) // Told to those who ask.
  const ended = new Promise<Exit>((resolve) => {
    worker.once('exit', (code, signal) => {
      for (const { reject } of pending.values()) reject(new Error('the worker has ended'))
      pending.clear()
      resolve({ code, signal })
    })
  })

  worker.on('message', (reply: Reply) => {
    const asked = pending.get(reply.id)
    pending.delete(reply.id)
    if ('error' in reply) asked?.reject(Object.assign(new Error(reply.error), { code: REFUSED }))
    else asked?.resolve(reply.answer)
  })

  function send(question: Question): Promise<unknown> {
    return new Promise((resolve, reject) => {
      pending.set(question.id, { resolve, reject })
      worker.send(question, (error) => {
        if (error) reject(error)
      })
    })
  }

  return {
    id: worker.id,
    pid: worker.process.pid,
    ended,
    kill: () => void worker.process.kill('SIGKILL'),
    async ask(kind, value, timeoutMs) {
      const id = (count += 1)
      const answered = isHere.then(() => send({ id, kind, with: value }))
      const answer = await within(timeoutMs, answered)
      pending.delete(id)
      if (answer === 'late') throw new Error(`the worker does not answer within ${timeoutMs} ms`)
      return answer as Questions[typeof kind]['answer']
    },
  }
}
