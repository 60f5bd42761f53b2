import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SteadyClock, steadyInterval } from "./steady.js";

interface Order {
  readonly id: number;
  readonly ms: number | null;
}

class FakeWorker {
  static made: FakeWorker[] = [];
  readonly orders: Order[] = [];
  onmessage: ((event: { data: number }) => void) | null = null;
  onerror: (() => void) | null = null;

  constructor() {
    FakeWorker.made.push(this);
  }

  postMessage(order: Order): void {
    this.orders.push(order);
  }
}

let clock: SteadyClock;
const called = vi.fn<(name: string) => void>();

beforeEach(() => {
  vi.useFakeTimers();
  called.mockClear();
  clock = new SteadyClock();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("with a Worker", () => {
  let worker: FakeWorker;
  beforeEach(() => {
    FakeWorker.made = [];
    vi.stubGlobal("Worker", FakeWorker);
    vi.stubGlobal("URL", { createObjectURL: () => "blob:", revokeObjectURL: () => undefined });
    clock.after(100, () => called("first"));
    clock.after(200, () => called("second"));
    [worker] = FakeWorker.made as [FakeWorker];
  });

  it("leaves the time to one Worker", () => {
    expect([FakeWorker.made.length, worker.orders]).toEqual([
      1,
      [
        { id: 1, ms: 100 },
        { id: 2, ms: 200 },
      ],
    ]);
    vi.advanceTimersByTime(1_000);
    expect(called).not.toHaveBeenCalled();
    worker.onmessage?.({ data: 2 });
    worker.onmessage?.({ data: 2 });
    expect(called.mock.calls).toEqual([["second"]]);
  });

  it("calls nothing that was cancelled, whatever is under way", () => {
    clock.after(300, () => called("third"))();
    expect(worker.orders.at(-1)).toEqual({ id: 3, ms: null });
    worker.onmessage?.({ data: 3 });
    expect(called).not.toHaveBeenCalled();
  });

  it("goes on with the page's timers when the Worker may not be", () => {
    vi.advanceTimersByTime(50);
    worker.onerror?.();
    vi.advanceTimersByTime(49);
    expect(called).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(called.mock.calls).toEqual([["first"]]);
    clock.after(10, () => called("third"))();
    clock.after(10, () => called("fourth"));
    vi.advanceTimersByTime(10);
    expect([called.mock.calls, FakeWorker.made.length]).toEqual([[["first"], ["fourth"]], 1]);
  });
});

it("ticks until it is stopped, by a tick too", () => {
  const ticks: number[] = [];
  const stop = steadyInterval(100, () => {
    ticks.push(performance.now());
    if (ticks.length === 3) stop();
  });
  vi.advanceTimersByTime(1_000);
  expect(ticks).toHaveLength(3);
});
