/**
 * One source's picture in an element: which session's slot it shows, and whether it is covered.
 *
 * It changes from one session to the next without a gap and without black: a second element over the first presents the
 * new session's frame, then the first takes the new track behind it, and when that is presented too the second goes.
 */
import type { SlotFeed } from "./feed.js";

interface Binding {
  readonly feed: SlotFeed;
  readonly slot: number;
}

export class Picture {
  readonly #source: number;
  readonly #element: HTMLVideoElement;
  readonly #changed: () => void;
  #shown: Binding | null = null;
  #callback: number | null = null;
  #overlay: Overlay | null = null;

  /** `changed` is called when a frame was presented after which something else may be seen. */
  constructor(source: number, element: HTMLVideoElement, changed: () => void) {
    this.#source = source;
    this.#element = element;
    this.#changed = changed;
    element.muted = true;
    element.autoplay = true;
    element.playsInline = true;
  }

  /** The session that it shows, if it surely shows its source. */
  get feed(): SlotFeed | null {
    return this.#shown && this.#isSure(this.#shown) ? this.#shown.feed : null;
  }

  /** `feed` is where the source is to come from; what is shown of `others` may stay until then. */
  update(feed: SlotFeed | null, others: readonly SlotFeed[]): void {
    const slot = feed?.slotOf(this.#source) ?? null;
    const target = feed && slot !== null ? { feed, slot } : null;
    const stays = this.#shown !== null && others.includes(this.#shown.feed) && this.#isSure(this.#shown);
    if (stays && target) this.#change(target);
    else if (!stays) this.#show(target);
    this.#cover();
  }

  detach(): void {
    this.#show(null);
    this.#cover();
  }

  /** Shows it at once, covered until a frame of its source is presented. */
  #show(target: Binding | null): void {
    const changedSlot = target?.feed !== this.#shown?.feed || target?.slot !== this.#shown?.slot;
    if (changedSlot) {
      this.#dropOverlay();
      this.#stopFrames();
      this.#shown = target;
      play(this.#element, target?.feed.trackIn(target.slot) ?? null);
    }
    // On its way to another session that is not to be gone to any more.
    if (target && !this.#overlay?.shows(target)) this.#dropOverlay();
    if (target && this.#callback === null && !this.#isSure(target)) this.#awaitFrame(target);
  }

  #awaitFrame(target: Binding): void {
    this.#callback = this.#element.requestVideoFrameCallback((_now, frame) => {
      this.#callback = null;
      if (target.feed.handlePresented(target.slot, frame.rtpTimestamp)) this.#changed();
      else this.#awaitFrame(target);
    });
  }

  /** Goes over to another session's slot when that presents the source. */
  #change(target: Binding): void {
    if (this.#overlay?.shows(target)) return;
    this.#dropOverlay();
    const overlay = new Overlay(this.#element, target, () => this.#settle(overlay, target));
    this.#overlay = overlay;
  }

  /** The overlay presents the source: the element follows behind it. */
  #settle(overlay: Overlay, target: Binding): void {
    this.#stopFrames();
    this.#shown = target;
    play(this.#element, target.feed.trackIn(target.slot));
    this.#callback = this.#element.requestVideoFrameCallback(() => {
      this.#callback = null;
      if (this.#overlay === overlay) this.#dropOverlay();
      this.#changed();
    });
    this.#changed();
  }

  /** The SDK itself covers: a face must not depend on how fast an app renders. */
  #cover(): void {
    const sure = this.feed !== null;
    if (!sure && this.#overlay?.visible) this.#dropOverlay();
    this.#element.style.opacity = sure ? "1" : "0";
  }

  #isSure({ feed, slot }: Binding): boolean {
    return feed.slotOf(this.#source) === slot && !feed.isCovered(this.#source);
  }

  #stopFrames(): void {
    if (this.#callback !== null) this.#element.cancelVideoFrameCallback(this.#callback);
    this.#callback = null;
  }

  #dropOverlay(): void {
    this.#overlay?.remove();
    this.#overlay = null;
  }
}

/** An element exactly over another, invisible until it presents a frame that may be seen. */
class Overlay {
  readonly #element: HTMLVideoElement;
  readonly #target: Binding;
  #callback: number | null = null;
  visible = false;

  constructor(under: HTMLVideoElement, target: Binding, presented: () => void) {
    this.#target = target;
    this.#element = under.cloneNode(false) as HTMLVideoElement;
    this.#element.removeAttribute("id");
    this.#element.muted = true;
    const { offsetLeft, offsetTop, offsetWidth, offsetHeight } = under;
    Object.assign(this.#element.style, {
      position: "absolute",
      left: `${String(offsetLeft)}px`,
      top: `${String(offsetTop)}px`,
      width: `${String(offsetWidth)}px`,
      height: `${String(offsetHeight)}px`,
      margin: "0",
      opacity: "0",
      pointerEvents: "none",
    });
    under.after(this.#element);
    play(this.#element, target.feed.trackIn(target.slot));
    this.#await(presented);
  }

  shows({ feed, slot }: Binding): boolean {
    return feed === this.#target.feed && slot === this.#target.slot;
  }

  remove(): void {
    if (this.#callback !== null) this.#element.cancelVideoFrameCallback(this.#callback);
    this.#element.srcObject = null;
    this.#element.remove();
  }

  #await(presented: () => void): void {
    this.#callback = this.#element.requestVideoFrameCallback((_now, frame) => {
      this.#callback = null;
      if (!this.#target.feed.handlePresented(this.#target.slot, frame.rtpTimestamp)) {
        this.#await(presented);
        return;
      }
      this.visible = true;
      this.#element.style.opacity = "1";
      presented();
    });
  }
}

function play(element: HTMLVideoElement, track: MediaStreamTrack | null): void {
  element.srcObject = track ? new MediaStream([track]) : null;
  // Rejected when the element is taken away meanwhile; muted video needs no permission to play.
  if (track) void element.play().catch(() => undefined);
}
