/**
 * From wanted pictures to shown ones: asks the node for a layout, follows its slot map, and covers what is not sure.
 *
 * Owns: the video elements that were attached, their streams and their covering. Rules are in state/slots.ts.
 */
import { Emitter } from "../emitter.js";
import { SlotKind, type SlotMap } from "../gen/salon/media/v1/channel_pb.js";
import { SlotBoard, type Want } from "../state/slots.js";
import type { ClientBody } from "./peer.js";

/** What a layout needs of a media session; `Peer` is one. */
export interface LayoutMedia {
  send(body: ClientBody): boolean;
  videoReceiver(slot: number): Pick<RTCRtpReceiver, "track" | "getSynchronizationSources"> | null;
}

/** Layouts are sent at most four times a second. */
const SEND_MS = 250;

interface Attachment {
  readonly element: HTMLVideoElement;
  slot: number | null;
  media: LayoutMedia | null;
  callback: number | null;
}

export class VideoLayout extends Emitter<{ change: undefined }> {
  readonly #board: SlotBoard;
  readonly #attachments = new Map<number, Attachment>();
  #media: LayoutMedia | null = null;
  #wants: readonly Want[] = [];
  #sentAt = -Infinity;
  #sendTimer: ReturnType<typeof setTimeout> | undefined;
  #releaseTimer: ReturnType<typeof setTimeout> | undefined;
  #lastSent = "";

  constructor(slots: number) {
    super();
    this.#board = new SlotBoard(slots);
  }

  get slots(): number {
    return this.#board.size;
  }

  /** Says what is to be shown, the most wanted first. */
  request(wants: readonly Want[]): void {
    this.#wants = wants;
    this.#apply();
  }

  /** Another media session counts from now on. */
  useMedia(media: LayoutMedia): void {
    this.#media = media;
    this.#board.reset();
    this.#lastSent = "";
    this.#refresh();
    this.#send();
  }

  handleOpen(media: LayoutMedia): void {
    if (media !== this.#media) return;
    this.#lastSent = "";
    this.#send();
  }

  handleSlotMap(map: SlotMap): void {
    for (const { kind, slot, source, firstTimestamp } of map.slots) {
      if (kind === SlotKind.VIDEO) this.#board.handleAssignment({ slot, source, firstTimestamp });
    }
    this.#refresh();
  }

  /** Shows a source in an element, whichever slot it comes by. The answer detaches it. */
  attach(source: number, element: HTMLVideoElement): () => void {
    this.#release(source);
    element.muted = true;
    element.autoplay = true;
    element.playsInline = true;
    const attachment: Attachment = { element, slot: null, media: null, callback: null };
    this.#attachments.set(source, attachment);
    this.#refresh();
    return () => {
      if (this.#attachments.get(source) === attachment) this.#release(source);
    };
  }

  slotOf(source: number): number | null {
    return this.#board.slotOf(source);
  }

  isCovered(source: number): boolean {
    const slot = this.#board.slotOf(source);
    return slot === null || this.#board.isCovered(slot);
  }

  trackOf(source: number): MediaStreamTrack | null {
    const slot = this.#board.slotOf(source);
    return slot === null ? null : (this.#media?.videoReceiver(slot)?.track ?? null);
  }

  close(): void {
    clearTimeout(this.#sendTimer);
    clearTimeout(this.#releaseTimer);
    for (const source of [...this.#attachments.keys()]) this.#release(source);
  }

  #apply(): void {
    const now = performance.now();
    this.#board.request(this.#wants, now);
    clearTimeout(this.#releaseTimer);
    const release = this.#board.nextRelease(this.#wants, now);
    if (release !== null) this.#releaseTimer = setTimeout(() => this.#apply(), release - now);
    // What loses its slot is covered before the node is asked to show something else there.
    this.#refresh();
    this.#schedule();
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
    if (!this.#media?.send({ case: "layout", value: { slots } })) return;
    this.#lastSent = text;
    this.#sentAt = performance.now();
  }

  /** Brings every element in line with the board. */
  #refresh(): void {
    for (const [source, attachment] of this.#attachments) this.#bind(source, attachment);
    this.emit("change", undefined);
  }

  #bind(source: number, attachment: Attachment): void {
    const slot = this.#board.slotOf(source);
    const covered = slot === null || this.#board.isCovered(slot);
    // The SDK itself covers: a face must not depend on how fast an app renders.
    attachment.element.style.opacity = covered ? "0" : "1";
    if (slot !== attachment.slot || attachment.media !== this.#media) {
      stopFrames(attachment);
      attachment.slot = slot;
      attachment.media = this.#media;
      show(attachment.element, slot === null ? null : (this.#media?.videoReceiver(slot)?.track ?? null));
    }
    if (covered && slot !== null && attachment.callback === null) this.#watchFrames(source, attachment, slot);
  }

  #watchFrames(source: number, attachment: Attachment, slot: number): void {
    attachment.callback = attachment.element.requestVideoFrameCallback((_now, frame) => {
      attachment.callback = null;
      if (this.#attachments.get(source) !== attachment || attachment.slot !== slot) return;
      const timestamp = frame.rtpTimestamp ?? presentedTimestamp(attachment.media, slot);
      if (timestamp !== null && this.#board.handlePresented(slot, timestamp)) this.#refresh();
      else this.#watchFrames(source, attachment, slot);
    });
  }

  #release(source: number): void {
    const attachment = this.#attachments.get(source);
    if (!attachment) return;
    stopFrames(attachment);
    attachment.element.style.opacity = "0";
    show(attachment.element, null);
    this.#attachments.delete(source);
  }
}

function show(element: HTMLVideoElement, track: MediaStreamTrack | null): void {
  element.srcObject = track ? new MediaStream([track]) : null;
  // Rejected when the element is taken away meanwhile; muted video needs no permission to play.
  if (track) void element.play().catch(() => undefined);
}

function stopFrames(attachment: Attachment): void {
  if (attachment.callback !== null) attachment.element.cancelVideoFrameCallback(attachment.callback);
  attachment.callback = null;
}

/** Browsers whose frames do not carry the RTP timestamp tell it of the receiver: that of the frame played last. */
function presentedTimestamp(media: LayoutMedia | null, slot: number): number | null {
  return media?.videoReceiver(slot)?.getSynchronizationSources()[0]?.rtpTimestamp ?? null;
}
