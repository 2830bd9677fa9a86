/** How often a connected Redis is asked whether it is still fit. */

/** While unfit the whole connection is made anew: a name may by then lead to another server. */
export const RECHECK_UNFIT_MS = 1000

/**
 * What was fit can be reconfigured under a living connection, and forgets proofs from then on. One
 * INFO in that time is nothing to Redis, however many instances there are.
 */
export const RECHECK_FIT_MS = 5000
