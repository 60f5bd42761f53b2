import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { deadline, sleep } from "./timing.js";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it("sleeps until it is woken", async () => {
  const woken = new AbortController();
  const slept = vi.fn();
  void sleep(1_000, woken.signal).then(slept);
  await vi.advanceTimersByTimeAsync(999);
  expect(slept).not.toHaveBeenCalled();
  woken.abort();
  await vi.advanceTimersByTimeAsync(0);
  expect(slept).toHaveBeenCalled();
  await sleep(1_000, woken.signal);
});

it("puts a deadline off, and aborts with its parent", () => {
  const parent = new AbortController();
  const time = deadline(parent.signal);
  time.extend(100);
  vi.advanceTimersByTime(99);
  time.extend(100);
  vi.advanceTimersByTime(99);
  expect(time.signal.aborted).toBe(false);
  vi.advanceTimersByTime(1);
  expect(time.signal.aborted).toBe(true);

  const other = deadline(parent.signal);
  parent.abort();
  expect(other.signal.aborted).toBe(true);
  expect(deadline(parent.signal).signal.aborted).toBe(true);
});
