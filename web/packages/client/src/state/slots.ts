/**
 * Which video slot shows which source, and whether its picture may be seen.
 *
 * A slot's picture is shown only while three agree: what was asked for, what the node's map says, and a frame of the
 * new source that was presented. Everything else is covered, so that a face never stands over another name.
 * Pure: `now` in milliseconds is an argument.
 */

/** A source somebody wants to see, and how tall its tile is in device pixels. */
export interface Want {
  readonly source: number;
  readonly height: number;
}

export interface Wish extends Want {
  readonly slot: number;
}

export interface Assignment {
  readonly slot: number;
  /** 0: the slot shows nothing. */
  readonly source: number;
  readonly firstTimestamp: number;
}

interface Slot {
  wish: number;
  height: number;
  mapped: number;
  firstTimestamp: number;
  presented: boolean;
  /** What was asked for before (0: nothing) and is not confirmed to be over, and since when: see QUARANTINE_MS. */
  readonly former: Map<number, number>;
}

/**
 * A source does not come back to a slot that it was taken out of before the node has confirmed what came after it: a map
 * that is still under way would vouch for the wrong frames. A node that had nothing to change confirms nothing, so
 * this ends the wait.
 */
export const QUARANTINE_MS = 8_000;

/** RTP timestamps wrap at 2^32 (RFC 3550, 5.1): whether `timestamp` is `first` or up to half the circle later. */
export function isAtOrAfter(timestamp: number, first: number): boolean {
  return (timestamp - first) >>> 0 < 0x8000_0000;
}

export class SlotBoard {
  readonly #slots: Slot[];

  constructor(count: number) {
    this.#slots = Array.from({ length: count }, () => ({
      wish: 0,
      height: 0,
      mapped: 0,
      firstTimestamp: 0,
      presented: false,
      former: new Map(),
    }));
  }

  get size(): number {
    return this.#slots.length;
  }

  /** Takes what is wanted, the most wanted first. A source keeps its slot; those for whom none is left wait. */
  request(wants: readonly Want[], now: number): void {
    const heights = new Map(wants.map((want) => [want.source, want.height]));
    for (const slot of this.#slots) {
      if (slot.wish !== 0 && !heights.has(slot.wish)) vacate(slot, now);
      else slot.height = heights.get(slot.wish) ?? 0;
    }
    for (const { source, height } of wants) {
      if (this.slotOf(source) !== null) continue;
      const free = this.#slots.find((slot) => slot.wish === 0 && !isQuarantined(slot, source, now));
      if (free) occupy(free, source, height, now);
    }
  }

  /** What the node is asked for. */
  wishes(): Wish[] {
    return this.#slots.flatMap(({ wish, height }, slot) => (wish === 0 ? [] : [{ slot, source: wish, height }]));
  }

  /** The node says what a slot shows. */
  handleAssignment({ slot: index, source, firstTimestamp }: Assignment): void {
    const slot = this.#slots[index];
    if (!slot) return;
    slot.mapped = source;
    slot.firstTimestamp = firstTimestamp;
    slot.presented = false;
    // Maps come in the order of the layouts: those of former sources are all through. Unless this is one of them.
    if (source === slot.wish && !slot.former.has(source)) slot.former.clear();
  }

  /** A frame was presented. Answers whether the slot's picture may be seen from now on. */
  handlePresented(index: number, rtpTimestamp: number): boolean {
    const slot = this.#slots[index];
    if (!slot || !isSettled(slot)) return false;
    slot.presented ||= isAtOrAfter(rtpTimestamp, slot.firstTimestamp);
    return slot.presented;
  }

  /** The media session is new: nothing is known of what its slots show. */
  reset(): void {
    for (const slot of this.#slots) {
      slot.mapped = 0;
      slot.presented = false;
      slot.former.clear();
    }
  }

  /** The slot that a source was given, whether or not it shows it yet. */
  slotOf(source: number): number | null {
    const index = this.#slots.findIndex((slot) => slot.wish === source && source !== 0);
    return index < 0 ? null : index;
  }

  isCovered(index: number): boolean {
    const slot = this.#slots[index];
    return !slot || !isSettled(slot) || !slot.presented;
  }

  /** When a source that waits for a slot may take one that is quarantined now; null when time changes nothing. */
  nextRelease(wants: readonly Want[], now: number): number | null {
    const waiting = wants.filter(({ source }) => this.slotOf(source) === null);
    const times = this.#slots
      .filter((slot) => slot.wish === 0)
      .flatMap((slot) => waiting.map(({ source }) => slot.former.get(source) ?? -Infinity))
      .map((vacatedAt) => vacatedAt + QUARANTINE_MS)
      .filter((time) => time > now);
    return times.length === 0 ? null : Math.min(...times);
  }
}

function vacate(slot: Slot, now: number): void {
  retire(slot, now);
  slot.wish = 0;
  slot.height = 0;
  slot.mapped = 0;
  slot.presented = false;
}

function occupy(slot: Slot, source: number, height: number, now: number): void {
  retire(slot, now);
  slot.wish = source;
  slot.height = height;
  slot.presented = false;
}

/** Notes what was asked for until now, be it nothing (0), as former. */
function retire(slot: Slot, now: number): void {
  for (const [source, at] of slot.former) {
    if (now >= at + QUARANTINE_MS) slot.former.delete(source);
  }
  slot.former.set(slot.wish, now);
}

function isQuarantined(slot: Slot, source: number, now: number): boolean {
  return now < (slot.former.get(source) ?? -Infinity) + QUARANTINE_MS;
}

function isSettled(slot: Slot): boolean {
  return slot.wish !== 0 && slot.wish === slot.mapped;
}
