/** Who stops what was started: a test, or anything else that keeps a list of what to undo. */
export interface Owner {
  readonly teardown: (handler: () => unknown) => unknown
}
