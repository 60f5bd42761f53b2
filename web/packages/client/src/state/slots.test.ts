import { describe, expect, it } from "vitest";
import { isAtOrAfter, QUARANTINE_MS, SlotBoard } from "./slots.js";

function want(...sources: number[]): { source: number; height: number }[] {
  return sources.map((source) => ({ source, height: 360 }));
}

function shown(board: SlotBoard): (number | null)[] {
  const wishes = board.wishes();
  return Array.from({ length: board.size }, (_, slot) => {
    const wish = wishes.find((candidate) => candidate.slot === slot);
    return wish && !board.isCovered(slot) ? wish.source : null;
  });
}

describe("isAtOrAfter", () => {
  it("follows the circle of 2^32", () => {
    expect(isAtOrAfter(5, 5)).toBe(true);
    expect(isAtOrAfter(4, 5)).toBe(false);
    expect(isAtOrAfter(3, 0xffff_fff0)).toBe(true);
    expect(isAtOrAfter(0xffff_fff0, 3)).toBe(false);
  });
});

describe("request", () => {
  it("gives the most wanted a slot, and lets the others wait", () => {
    const board = new SlotBoard(2);
    board.request(want(5, 9, 13), 0);
    expect(board.wishes().map(({ source }) => source)).toEqual([5, 9]);
    expect(board.slotOf(13)).toBeNull();
  });

  it("keeps a source in its slot and takes new heights", () => {
    const board = new SlotBoard(3);
    board.request(want(5, 9, 13), 0);
    board.request([{ source: 13, height: 720 }, ...want(5, 17)], 10);
    expect(board.wishes()).toEqual([
      { slot: 0, source: 5, height: 360 },
      { slot: 1, source: 17, height: 360 },
      { slot: 2, source: 13, height: 720 },
    ]);
  });

  it("does not bring a source back to the slot it was just taken out of", () => {
    const board = new SlotBoard(1);
    board.request(want(5), 0);
    board.request(want(9), 100);
    board.request(want(5), 200);
    expect(board.slotOf(5)).toBeNull();
    expect(board.nextRelease(want(5), 200)).toBe(100 + QUARANTINE_MS);
    board.request(want(5), 100 + QUARANTINE_MS);
    expect(board.slotOf(5)).toBe(0);
    expect(board.nextRelease(want(5), 100 + QUARANTINE_MS)).toBeNull();
  });

  it("brings it back once the node has confirmed what came after it", () => {
    const board = new SlotBoard(1);
    board.request(want(5), 0);
    board.request(want(9), 100);
    board.handleAssignment({ slot: 0, source: 5, firstTimestamp: 0 });
    board.request(want(9, 5), 150);
    expect(board.slotOf(5)).toBeNull();
    board.handleAssignment({ slot: 0, source: 9, firstTimestamp: 0 });
    board.request(want(5), 300);
    expect(board.slotOf(5)).toBe(0);
  });
});

describe("covering", () => {
  it("ends with a frame of the mapped source, and not before", () => {
    const board = new SlotBoard(1);
    board.request(want(5), 0);
    expect(board.handlePresented(0, 1000)).toBe(false);
    board.handleAssignment({ slot: 0, source: 5, firstTimestamp: 2000 });
    expect(board.handlePresented(0, 1999)).toBe(false);
    expect(board.isCovered(0)).toBe(true);
    expect(board.handlePresented(0, 2000)).toBe(true);
    expect(shown(board)).toEqual([5]);
  });

  it("begins when another source is asked for, before the node knows", () => {
    const board = new SlotBoard(1);
    board.request(want(5), 0);
    board.handleAssignment({ slot: 0, source: 5, firstTimestamp: 0 });
    board.handlePresented(0, 1);
    board.request(want(9), 10);
    expect(shown(board)).toEqual([null]);
    expect(board.handlePresented(0, 2)).toBe(false);
    board.handleAssignment({ slot: 0, source: 9, firstTimestamp: 5 });
    expect(board.handlePresented(0, 4)).toBe(false);
    expect(board.handlePresented(0, 5)).toBe(true);
  });

  it("begins when the node shows something else, or nothing", () => {
    const board = new SlotBoard(1);
    board.request(want(5), 0);
    board.handleAssignment({ slot: 0, source: 5, firstTimestamp: 0 });
    board.handlePresented(0, 1);
    board.handleAssignment({ slot: 0, source: 0, firstTimestamp: 0 });
    expect(board.isCovered(0)).toBe(true);
  });

  it("begins anew with a new media session", () => {
    const board = new SlotBoard(1);
    board.request(want(5), 0);
    board.handleAssignment({ slot: 0, source: 5, firstTimestamp: 0 });
    board.handlePresented(0, 1);
    board.reset();
    expect(board.wishes()).toHaveLength(1);
    expect(board.handlePresented(0, 1)).toBe(false);
  });

  it("ignores slots that do not exist", () => {
    const board = new SlotBoard(1);
    board.handleAssignment({ slot: 7, source: 5, firstTimestamp: 0 });
    expect(board.isCovered(7)).toBe(true);
    expect(board.handlePresented(7, 0)).toBe(false);
  });
});

it("never shows a frame of another source under a name, whatever the order of wishes, maps and frames", () => {
  let shownAtAll = 0;
  for (let seed = 1; seed <= 100; seed++) {
    const dice = diceOf(seed);
    const board = new SlotBoard(2);
    const node = new FakeNode(2);
    for (let step = 0, now = 0; step < 200; step++, now += dice(400)) {
      if (dice(3) === 0) {
        board.request(want(...[5, 9, 13].filter(() => dice(2) === 0)), now);
        node.layouts.push(board.wishes());
      }
      // Both directions take their time, and frames may overtake the map that announces them.
      if (dice(2) === 0 || node.layouts.length > 4) node.obey();
      if (dice(2) === 0 || node.maps.length > 4) node.deliverMap(board);
      for (const slot of [0, 1]) {
        const frame = node.frame(slot);
        if (frame) board.handlePresented(slot, frame.timestamp);
        const source = shown(board)[slot] ?? null;
        if (frame && source !== null) {
          shownAtAll += 1;
          expect(source, `seed ${String(seed)} step ${String(step)}`).toBe(frame.source);
        }
      }
    }
  }
  expect(shownAtAll).toBeGreaterThan(1_000);
});

/** The same sequence for the same seed. */
function diceOf(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

/** A node that obeys layouts in order and announces each change in order, both some time later. */
class FakeNode {
  readonly layouts: { slot: number; source: number }[][] = [];
  readonly maps: { slot: number; source: number; firstTimestamp: number }[] = [];
  readonly #sources: number[];
  #clock = 1000;

  constructor(slots: number) {
    this.#sources = Array.from({ length: slots }, () => 0);
  }

  obey(): void {
    const layout = this.layouts.shift();
    if (!layout) return;
    for (const [slot, before] of this.#sources.entries()) {
      const source = layout.find((wish) => wish.slot === slot)?.source ?? 0;
      if (source === before) continue;
      this.#sources[slot] = source;
      this.maps.push({ slot, source, firstTimestamp: this.#clock });
    }
  }

  deliverMap(board: SlotBoard): void {
    const map = this.maps.shift();
    if (map) board.handleAssignment(map);
  }

  /** The next frame of what the slot shows; none while it shows nothing. */
  frame(slot: number): { source: number; timestamp: number } | null {
    this.#clock += 1;
    const source = this.#sources[slot] ?? 0;
    return source === 0 ? null : { source, timestamp: this.#clock };
  }
}
