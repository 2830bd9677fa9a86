/**
 * What is known at once or will be later. Each promise for what is known costs objects, closures and
 * a turn of the microtask queue, and a decision about most requests goes through six steps that know.
 */

export type Eventual<T> = T | Promise<T>

/** `next` of the value, as soon as there is one. Throws or rejects as either does. */
export function andThen<T, U>(value: Eventual<T>, next: (value: T) => Eventual<U>): Eventual<U> {
  return value instanceof Promise ? value.then(next) : next(value)
}

/** What `begin` comes to, and `recover` of the error where it throws or rejects. */
export function attempt<T>(
  begin: () => Eventual<T>,
  recover: (error: unknown) => Eventual<T>,
): Eventual<T> {
  try {
    const value = begin()
    return value instanceof Promise ? value.catch(recover) : value
  } catch (error) {
    return recover(error)
  }
}
