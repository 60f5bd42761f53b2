import { expect, it } from "vitest";
import { backoffMs, RECONNECT_TIMES } from "./backoff.js";

it("doubles, spreads by half, and never passes the longest", () => {
  expect([0, 1, 2].map((attempt) => backoffMs(attempt, 0.5))).toEqual([200, 400, 800]);
  expect([backoffMs(0, 0), backoffMs(0, 0.999)]).toEqual([100, 300]);
  expect(backoffMs(40, 0.999)).toBeLessThanOrEqual(RECONNECT_TIMES.longestMs);
});
