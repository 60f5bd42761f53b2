import { beforeEach, describe, expect, it } from "vitest";
import { MAX_MS, QualityMeter } from "./quality.js";

const CAMERA = 7;

let meter: QualityMeter;

/** Looks each 100 ms, both ends included, with a new frame each time. */
function play(from: number, to: number, fresh = true): void {
  for (let now = from; now <= to; now += 100) meter.handleLook(true, true, new Map([[CAMERA, fresh]]), now);
}

/** Looks at which nothing came. */
function nothing(from: number, to: number): void {
  for (let now = from; now <= to; now += 100) meter.handleLook(false, false, new Map([[CAMERA, false]]), now);
}

beforeEach(() => {
  meter = new QualityMeter(1_000);
  meter.handleWelcome(true);
  meter.handleConnected(1_400);
});

describe("the firsts", () => {
  it("are told once", () => {
    expect(meter.hasFirst).toBe(false);
    meter.handleShown(1_700);
    meter.handleShown(5_000);
    expect(meter.hasFirst).toBe(true);
    expect(meter.take(2_000)).toMatchObject({ connectedMs: 400, firstFrameMs: 700 });
    expect(meter.hasFirst).toBe(false);
    expect(meter.take(3_000)).toMatchObject({ connectedMs: 0, firstFrameMs: 0 });
  });

  it("are not slow because nobody was there", () => {
    meter = new QualityMeter(1_000);
    meter.handleWelcome(false);
    meter.handleWelcome(true);
    meter.handleShown(90_000);
    expect(meter.hasFirst).toBe(false); // or a report would follow at each look
    expect(meter.take(91_000).firstFrameMs).toBe(0);
  });
});

describe("pictures", () => {
  it("that move are watched", () => {
    play(2_000, 4_000);
    expect(meter.take(4_000)).toMatchObject({ watchedMs: 2_000, frozenMs: 0 });
  });

  it("that stand still froze at their last frame, counted once over several reports", () => {
    play(2_000, 3_000);
    play(3_100, 5_000, false);
    expect(meter.take(5_000)).toMatchObject({ watchedMs: 3_000, frozenMs: 2_000 });
    play(5_100, 6_000);
    expect(meter.take(6_000)).toMatchObject({ watchedMs: 1_000, frozenMs: 100 });
  });

  it("that are not shown freeze nothing", () => {
    play(2_000, 3_000);
    meter.handleLook(true, true, new Map(), 3_100);
    expect(meter.take(9_000)).toMatchObject({ watchedMs: 1_000, frozenMs: 0 });
  });

  it("are not blamed when the page itself stood still", () => {
    play(2_000, 3_000);
    play(60_000, 61_000);
    expect(meter.take(61_000)).toMatchObject({ watchedMs: 2_000, frozenMs: 0 });
  });
});

describe("gaps", () => {
  it("last from the last that came to the next, under the first cause", () => {
    play(2_000, 3_000);
    nothing(3_100, 4_100);
    meter.handleInterruption("silence", 4_000);
    meter.handleInterruption("crash", 4_100);
    meter.handleConnected(4_150);
    play(4_200, 7_500);
    expect(meter.take(8_000).gaps).toEqual([{ cause: "silence", ms: 1_200 }]);
    expect(meter.take(9_000).gaps).toEqual([]);
  });

  it("are next to nothing in a good move", () => {
    play(2_000, 3_000);
    meter.handleInterruption("move", 3_000);
    play(3_100, 4_000);
    meter.handleConnected(4_000);
    play(4_100, 7_100);
    expect(meter.take(8_000).gaps).toEqual([{ cause: "move", ms: 100 }]);
  });

  it("are looked for in packets while nobody sends", () => {
    meter.handleLook(true, false, new Map(), 2_000);
    meter.handleInterruption("silence", 3_000);
    meter.handleConnected(3_500);
    for (let now = 3_600; now <= 7_000; now += 100) meter.handleLook(true, false, new Map(), now);
    expect(meter.take(8_000).gaps).toEqual([{ cause: "silence", ms: 1_600 }]);
  });

  it("that do not end are told after a minute", () => {
    play(2_000, 3_000);
    meter.handleInterruption("crash", 3_500);
    expect(meter.take(30_000).gaps).toEqual([]);
    expect(meter.take(70_000).gaps).toEqual([{ cause: "crash", ms: MAX_MS }]);
  });

  it("need a connection before", () => {
    meter = new QualityMeter(0);
    meter.handleLook(true, false, new Map(), 100);
    meter.handleInterruption("crash", 200);
    expect(meter.take(70_000).gaps).toEqual([]);
  });
});
