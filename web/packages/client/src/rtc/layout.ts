/**
 * From wanted pictures to shown ones, through every change of media session.
 *
 * Owns: which session each picture comes from. While one session takes over from another both send all pictures, and each
 * changes at the first frame that the new one presents; of a session that was lost the last frame stays for a while.
 */
import { Emitter } from "../emitter.js";
import type { SlotMap } from "../gen/salon/media/v1/channel_pb.js";
import type { Want } from "../state/slots.js";
import { SlotFeed, type LayoutMedia } from "./feed.js";
import { Picture } from "./picture.js";
import { steadyTimeout } from "./steady.js";

/** The last frame of a session that is over stands for so long at most. */
export const STILL_MS = 5_000;

export class VideoLayout extends Emitter<{ change: undefined }> {
  readonly slots: number;
  readonly #pictures = new Map<number, Picture>();
  readonly #feeds = new Map<LayoutMedia, SlotFeed>();
  /** Sessions that are over, whose last frames may still stand; with what ends that. */
  readonly #stills = new Map<SlotFeed, () => void>();
  /** Where pictures are to come from. */
  #target: SlotFeed | null = null;
  #wants: readonly Want[] = [];

  constructor(slots: number) {
    super();
    this.slots = slots;
  }

  /** Says what is to be shown, the most wanted first. */
  request(wants: readonly Want[]): void {
    this.#wants = wants;
    for (const feed of [...this.#feeds.values(), ...this.#stills.keys()]) feed.request(wants);
  }

  /** These sessions count from now on: one, or one and the next that takes over from it. */
  use(serving: LayoutMedia | null, next: LayoutMedia | null = null): void {
    for (const media of this.#feeds.keys()) if (media !== serving && media !== next) this.#retire(media);
    for (const media of [serving, next]) if (media && !this.#feeds.has(media)) this.#open(media);
    const newest = next ?? serving;
    this.#target = newest ? (this.#feeds.get(newest) ?? null) : null;
    this.#refresh();
  }

  handleOpen(media: LayoutMedia): void {
    this.#feeds.get(media)?.handleOpen();
  }

  handleSlotMap(media: LayoutMedia, map: SlotMap): void {
    this.#feeds.get(media)?.handleSlotMap(map);
  }

  /** Shows a source in an element, whichever slot it comes by. The answer detaches it. */
  attach(source: number, element: HTMLVideoElement): () => void {
    this.#detach(source);
    const picture = new Picture(source, element, () => this.#refresh());
    this.#pictures.set(source, picture);
    this.#refresh();
    return () => {
      if (this.#pictures.get(source) === picture) this.#detach(source);
    };
  }

  slotOf(source: number): number | null {
    return this.#feedOf(source)?.slotOf(source) ?? null;
  }

  isCovered(source: number): boolean {
    return this.#feedOf(source)?.isCovered(source) ?? true;
  }

  trackOf(source: number): MediaStreamTrack | null {
    const feed = this.#feedOf(source);
    const slot = feed?.slotOf(source) ?? null;
    return feed && slot !== null ? feed.trackIn(slot) : null;
  }

  close(): void {
    for (const source of [...this.#pictures.keys()]) this.#detach(source);
    for (const feed of this.#feeds.values()) feed.close();
    for (const forget of this.#stills.values()) forget();
  }

  /** The session that a source's picture comes from now. */
  #feedOf(source: number): SlotFeed | null {
    return this.#pictures.get(source)?.feed ?? this.#target;
  }

  #open(media: LayoutMedia): void {
    const feed = new SlotFeed(media, this.slots, () => this.#refresh());
    this.#feeds.set(media, feed);
    feed.request(this.#wants);
  }

  #retire(media: LayoutMedia): void {
    const feed = this.#feeds.get(media);
    if (!feed) return;
    this.#feeds.delete(media);
    const expire = (): void => {
      feed.close();
      this.#stills.delete(feed);
      this.#refresh();
    };
    const cancel = steadyTimeout(STILL_MS, expire);
    this.#stills.set(feed, () => {
      cancel();
      feed.close();
    });
  }

  /** Brings every picture in line with the sessions. */
  #refresh(): void {
    const others = [...this.#feeds.values(), ...this.#stills.keys()].filter((feed) => feed !== this.#target);
    for (const picture of this.#pictures.values()) picture.update(this.#target, others);
    this.emit("change", undefined);
  }

  #detach(source: number): void {
    this.#pictures.get(source)?.detach();
    this.#pictures.delete(source);
  }
}
