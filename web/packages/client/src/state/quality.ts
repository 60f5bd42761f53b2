/**
 * How well it goes for the one who is here: when media and the first picture came, how long pictures stood still, and what
 * was missed when a session was lost or replaced. Pure: `now` in milliseconds is an argument.
 *
 * The native client counts in the same way (core/quality.py).
 */

/** Why a session was lost or is to be replaced. */
export type Cause = "crash" | "silence" | "move";

export interface Gap {
  readonly cause: Cause;
  readonly ms: number;
}

/** Since the last report, in milliseconds. What is told once a stay is 0 in all other reports. */
export interface Quality {
  readonly connectedMs: number;
  readonly firstFrameMs: number;
  readonly watchedMs: number;
  readonly frozenMs: number;
  readonly gaps: readonly Gap[];
}

/** A picture without a new frame for longer stands still, and did from its last frame on. */
export const FREEZE_MS = 500;
/** Media that came so lately is what is missed; without it, whether anything comes is all that can be told. */
const FLOWING_MS = 2_000;
/** After the next session is up: the former is let go within this. */
const SETTLED_MS = 3_000;
/** A gap is told as so long at most. */
export const MAX_MS = 60_000;
const MAX_GAPS = 8;
/** Looks come each 100 ms: one that is so late means that the page itself stood still, which is no freeze of a picture. */
export const PAUSED_MS = 1_000;

interface Picture {
  last: number | null;
  countedTo: number;
}

interface Pause {
  readonly cause: Cause;
  readonly media: boolean;
  last: number;
  longest: number;
  settledAt: number;
}

export class QualityMeter {
  readonly #clickedAt: number;
  #connectedAt: number | null = null;
  #firstFrameAt: number | null = null;
  #expected: boolean | null = null;
  readonly #told = new Set<"connected" | "first frame">();
  #pictures = new Map<number, Picture>();
  #lastPacket: number | null = null;
  #lastMedia: number | null = null;
  #lookedAt: number | null = null;
  #pause: Pause | null = null;
  #watched = 0;
  #frozen = 0;
  #gaps: Gap[] = [];

  constructor(clickedAt: number) {
    this.#clickedAt = clickedAt;
  }

  /** There is a first picture to tell that was not told yet. */
  get hasFirst(): boolean {
    return this.#expected === true && this.#firstFrameAt !== null && !this.#told.has("first frame");
  }

  /** In the room. Only if somebody sends a picture already does the first frame say how fast Salon is. */
  handleWelcome(picturesThere: boolean): void {
    this.#expected ??= picturesThere;
  }

  /** A media session is up, the first or another. */
  handleConnected(now: number): void {
    this.#connectedAt ??= now;
    if (this.#pause?.settledAt === Infinity) this.#pause.settledAt = now + SETTLED_MS;
  }

  /** A picture of somebody else can be seen. */
  handleShown(now: number): void {
    this.#firstFrameAt ??= now;
  }

  /** The session was lost, or is to be replaced. The first cause counts until it is over. */
  handleInterruption(cause: Cause, now: number): void {
    const media = this.#lastMedia !== null && now - this.#lastMedia <= FLOWING_MS;
    const last = media ? this.#lastMedia : this.#lastPacket;
    if (this.#pause || this.#connectedAt === null || last === null) return;
    this.#pause = { cause, media, last, longest: 0, settledAt: Infinity };
  }

  /**
   * Looks at the sessions: whether packets came since the last look, whether media was among them, and for each camera that
   * is shown whether it has a new frame.
   */
  handleLook(packets: boolean, media: boolean, cameras: ReadonlyMap<number, boolean>, now: number): void {
    if (this.#lookedAt !== null && now - this.#lookedAt > PAUSED_MS) this.#pictures.clear();
    this.#lookedAt = now;
    if (packets) this.#lastPacket = now;
    if (media) this.#lastMedia = now;
    if (this.#pause && (this.#pause.media ? media : packets)) this.#arrive(this.#pause, now);
    const shown = [...cameras.keys()].map((source) => [source, this.#pictures.get(source) ?? empty()] as const);
    this.#pictures = new Map(shown);
    for (const [source, picture] of shown) if (cameras.get(source)) this.#advance(picture, now);
  }

  /** The figures since the last time. */
  take(now: number): Quality {
    for (const picture of this.#pictures.values()) {
      if (picture.last !== null && now - picture.last > FREEZE_MS) this.#count(picture, now);
    }
    if (this.#pause && now - this.#pause.last >= MAX_MS) this.#end(this.#pause, now);
    const watchedMs = Math.round(this.#watched);
    const taken = {
      connectedMs: this.#once("connected", this.#connectedAt),
      firstFrameMs: this.#once("first frame", this.#expected ? this.#firstFrameAt : null),
      watchedMs,
      frozenMs: Math.min(watchedMs, Math.round(this.#frozen)),
      gaps: this.#gaps.slice(0, MAX_GAPS),
    };
    this.#watched = 0;
    this.#frozen = 0;
    this.#gaps = [];
    return taken;
  }

  #advance(picture: Picture, now: number): void {
    this.#count(picture, now);
    picture.last = now;
    picture.countedTo = now;
  }

  #count(picture: Picture, now: number): void {
    if (picture.last === null) return;
    const span = now - picture.countedTo;
    this.#watched += span;
    if (now - picture.last > FREEZE_MS) this.#frozen += span;
    picture.countedTo = now;
  }

  #arrive(pause: Pause, now: number): void {
    pause.longest = Math.max(pause.longest, now - pause.last);
    pause.last = now;
    if (now >= pause.settledAt) this.#end(pause, now);
  }

  #end(pause: Pause, now: number): void {
    this.#gaps.push({ cause: pause.cause, ms: clamp(Math.max(pause.longest, now - pause.last)) });
    this.#pause = null;
  }

  #once(what: "connected" | "first frame", at: number | null): number {
    if (at === null || this.#told.has(what)) return 0;
    this.#told.add(what);
    return clamp(at - this.#clickedAt);
  }
}

function empty(): Picture {
  return { last: null, countedTo: 0 };
}

function clamp(ms: number): number {
  return Math.min(MAX_MS, Math.max(1, Math.round(ms)));
}
