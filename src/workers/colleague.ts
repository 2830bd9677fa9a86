/** One worker as the primary sees it: a process that is asked, and that may be gone at any time. */
import type { Worker } from 'node:cluster'
import { within } from '../deadline.ts'
import { HERE, type Kind, type Question, type Questions, type Reply } from './protocol.ts'

export interface Colleague {
  readonly worker: Worker
  /** Rejects where the worker says so, is gone, or does not answer in time. */
  readonly ask: <K extends Kind>(
    kind: K,
    value: Questions[K]['with'],
    timeoutMs: number,
  ) => Promise<Questions[K]['answer']>
}

interface Pending {
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: Error) => void
}

export function createColleague(worker: Worker): Colleague {
  const pending = new Map<number, Pending>()
  let count = HERE
  const isHere = new Promise<unknown>((resolve, reject) => {
    pending.set(HERE, { resolve, reject })
  })
  isHere.catch(() => undefined) // Told to those who ask.

  worker.on('message', (reply: Reply) => {
    const asked = pending.get(reply.id)
    pending.delete(reply.id)
    if ('error' in reply) asked?.reject(new Error(reply.error))
    else asked?.resolve(reply.answer)
  })
  worker.on('exit', () => {
    for (const { reject } of pending.values()) reject(new Error('the worker has ended'))
    pending.clear()
  })

  return {
    worker,
    async ask(kind, value, timeoutMs) {
      const id = (count += 1)
      const question: Question = { id, kind, with: value }
      const answered = async () => {
        await isHere
        return new Promise<unknown>((resolve, reject) => {
          pending.set(id, { resolve, reject })
          worker.send(question, (error) => {
            if (error) reject(error)
          })
        })
      }
      const answer = await within(timeoutMs, answered())
      pending.delete(id)
      if (answer === 'late') throw new Error(`the worker does not answer within ${timeoutMs} ms`)
      return answer as Questions[typeof kind]['answer']
    },
  }
}
