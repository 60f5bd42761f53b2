/** How long to wait before the next try. Pure: the caller brings the attempt's number and the dice. */

export interface BackoffTimes {
  /** The mean of the first wait. */
  readonly firstMs: number;
  /** No wait is longer. */
  readonly longestMs: number;
}

export const RECONNECT_TIMES: BackoffTimes = { firstMs: 200, longestMs: 5_000 };

/**
 * Doubles with each attempt (from 0) and spreads over the half around that, so that the clients of a replica that died
 * do not come back all at once. `random` is in [0, 1).
 */
export function backoffMs(attempt: number, random: number, times: BackoffTimes = RECONNECT_TIMES): number {
  const mean = Math.min(times.firstMs * 2 ** attempt, times.longestMs / 1.5);
  return Math.round(mean * (0.5 + random));
}
