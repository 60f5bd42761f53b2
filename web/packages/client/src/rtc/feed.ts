/**
 * The video slots of one media session: asks its node for a layout, follows its map, and knows which pictures may be seen.
 *
 * Owns: what is asked for and when. Doesn't: elements (layout.ts). Rules are in state/slots.ts.
 */
import { SlotKind, type SlotMap } from "../gen/salon/media/v1/channel_pb.js";
import { SlotBoard, type Want } from "../state/slots.js";
import type { ClientBody } from "./peer.js";

/** What pictures need of a media session; `Peer` is one. */
export interface LayoutMedia {
  send(body: ClientBody): boolean;
  videoReceiver(slot: number): Pick<RTCRtpReceiver, "track" | "getSynchronizationSources"> | null;
}

/** Layouts are sent at most four times a second. */
const SEND_MS = 250;

export class SlotFeed {
  readonly #board: SlotBoard;
  readonly #media: LayoutMedia;
  readonly #changed: () => void;
  #wants: readonly Want[] = [];
  #sentAt = -Infinity;
  #sendTimer: ReturnType<typeof setTimeout> | undefined;
  #releaseTimer: ReturnType<typeof setTimeout> | undefined;
  #lastSent = "";

  /** `changed` is called when another source came to a slot, or another picture may be seen. */
  constructor(media: LayoutMedia, slots: number, changed: () => void) {
    this.#media = media;
    this.#board = new SlotBoard(slots);
    this.#changed = changed;
  }

  /** Says what is to be shown, the most wanted first. */
  request(wants: readonly Want[]): void {
    const now = performance.now();
    this.#wants = wants;
    this.#board.request(wants, now);
    clearTimeout(this.#releaseTimer);
    const release = this.#board.nextRelease(wants, now);
    if (release !== null) this.#releaseTimer = setTimeout(() => this.request(this.#wants), release - now);
    // What loses its slot is covered before the node is asked to show something else there.
    this.#changed();
    this.#schedule();
  }

  /** Messages can be sent from now on. */
  handleOpen(): void {
    this.#lastSent = "";
    this.#send();
  }

  handleSlotMap(map: SlotMap): void {
    for (const { kind, slot, source, firstTimestamp } of map.slots) {
      if (kind === SlotKind.VIDEO) this.#board.handleAssignment({ slot, source, firstTimestamp });
    }
    this.#changed();
  }

  /** A frame of this slot was presented; null where the browser does not say which. Answers whether it may be seen. */
  handlePresented(slot: number, rtpTimestamp: number | undefined): boolean {
    const timestamp = rtpTimestamp ?? this.#playedTimestamp(slot);
    return timestamp !== null && this.#board.handlePresented(slot, timestamp);
  }

  slotOf(source: number): number | null {
    return this.#board.slotOf(source);
  }

  isCovered(source: number): boolean {
    const slot = this.#board.slotOf(source);
    return slot === null || this.#board.isCovered(slot);
  }

  trackIn(slot: number): MediaStreamTrack | null {
    return this.#media.videoReceiver(slot)?.track ?? null;
  }

  close(): void {
    clearTimeout(this.#sendTimer);
    clearTimeout(this.#releaseTimer);
  }

  #schedule(): void {
    clearTimeout(this.#sendTimer);
    const wait = this.#sentAt + SEND_MS - performance.now();
    if (wait <= 0) this.#send();
    else this.#sendTimer = setTimeout(() => this.#send(), wait);
  }

  #send(): void {
    const slots = this.#board.wishes().map(({ slot, source, height }) => ({ slot, source, maxHeight: height }));
    const text = JSON.stringify(slots);
    if (text === this.#lastSent) return;
    if (!this.#media.send({ case: "layout", value: { slots } })) return;
    this.#lastSent = text;
    this.#sentAt = performance.now();
  }

  /** Browsers whose frames do not carry the RTP timestamp tell it of the receiver: that of the frame played last. */
  #playedTimestamp(slot: number): number | null {
    return this.#media.videoReceiver(slot)?.getSynchronizationSources()[0]?.rtpTimestamp ?? null;
  }
}
