/**
 * Which media sessions there are: the one that serves, and the one that takes over from it.
 *
 * Owns: when a session is made anew, when it takes over, when the former is let go. Doesn't: the event stream that
 * offers and answers travel by (session.ts), or what is done with the sessions (reception.ts). When both are connected
 * the stages are those of state/handover.ts.
 */
import { Emitter } from "../emitter.js";
import { backoffMs } from "../state/backoff.js";
import { Handover } from "../state/handover.js";
import type { Cause } from "../state/quality.js";
import type { PeerEvents } from "./peer.js";
import { steadyTimeout } from "./steady.js";

/** What a succession needs of a media session; `Peer` is one. */
export interface MediaSession {
  readonly offer: string;
  readonly connected: boolean;
  /** The placement epoch that it was admitted with; 0 before. */
  readonly epoch: number;
  /** The microphones that its node has said are there; null while it has said nothing. */
  readonly roster: ReadonlySet<number> | null;
  /** Bits a second, as last seen; 0 while unknown. */
  readonly uplinkBps: number;
  readonly downlinkBps: number;
  accept(answer: string, epoch: number): Promise<void>;
  /** Tells the node that another serves us from this epoch on, and closes. */
  leave(epoch: number): void;
  close(): void;
  on<Name extends keyof PeerEvents>(event: Name, listener: (value: PeerEvents[Name]) => void): () => void;
}

/** The sessions that count now. */
export interface Lineup<Media> {
  /** Null before the first. It may be lost already. */
  readonly serving: Media | null;
  /** Connected beside it, and taking over; null at most times. */
  readonly next: Media | null;
  /** Which of the two is heard. */
  readonly heard: Media | null;
}

/** The part of a join request that is about media. */
export interface Offer {
  readonly offer: string;
  readonly unheardEpoch: bigint;
  readonly uplinkBps: bigint;
  readonly downlinkBps: bigint;
}

export interface Move {
  readonly epoch: number;
  /** The node before still sends. */
  readonly makeBeforeBreak: boolean;
  readonly spreadMs: number;
}

export interface SuccessionEvents<Media> {
  /** Sessions that are in the lineup no more are closed right after. */
  lineup: Lineup<Media>;
  /** `connected` may be another. */
  change: undefined;
  /** Come back to the service with a new offer. */
  wanted: undefined;
  /** The serving session was lost, or is to be replaced. */
  interrupted: Cause;
}

export interface SuccessionOptions<Media> {
  readonly make: () => Promise<Media>;
  /** The microphones of everybody who is in the room. */
  readonly present: () => ReadonlySet<number>;
  readonly random: () => number;
}

/** A session that lasted so long is no failed one, however it ends. */
const STEADY_MS = 3_000;

export class Succession<Media extends MediaSession> extends Emitter<SuccessionEvents<Media>> {
  readonly #options: SuccessionOptions<Media>;
  #serving: Media | null = null;
  /** Offered, answered, or (during a handover) connected beside the serving one. */
  #candidate: Media | null = null;
  #handover: Handover | null = null;
  /** The next request carries an offer. */
  #wanted = true;
  /** The highest epoch that we were told to move to. */
  #movedTo = 0;
  /** The serving session's node still sends, and is being left. */
  #leaving = false;
  /** The epoch of the session that fell silent; 0 while none did. */
  #unheardEpoch = 0;
  #failures = 0;
  #promotedAt = Infinity;
  #cancelRenewal: (() => void) | null = null;
  #cancelStage = (): void => undefined;
  #stopped = false;

  constructor(options: SuccessionOptions<Media>) {
    super();
    this.#options = options;
  }

  /** Whether media flows. */
  get connected(): boolean {
    return this.#serving?.connected === true;
  }

  /** What to ask for with the next request; null when the session goes on as it is. */
  async offer(): Promise<Offer | null> {
    if (!this.#wanted) return null;
    const candidate = this.#candidate ?? this.#adopt(await this.#options.make());
    return {
      offer: candidate.offer,
      unheardEpoch: BigInt(this.#unheardEpoch),
      uplinkBps: BigInt(this.#serving?.uplinkBps ?? 0),
      downlinkBps: BigInt(this.#serving?.downlinkBps ?? 0),
    };
  }

  /** The service answered the offer. */
  async accept(answer: string, epoch: number): Promise<void> {
    const candidate = this.#candidate;
    if (!this.#wanted || !candidate || answer === "") return;
    this.#wanted = false;
    try {
      await candidate.accept(answer, epoch);
    } catch {
      this.#handleLost(candidate);
    }
  }

  /** Placed elsewhere. Moves to epochs at which we are served already are old news. */
  move({ epoch, makeBeforeBreak, spreadMs }: Move): void {
    const admitted = this.#candidate?.epoch || (this.#serving?.epoch ?? 0);
    if (epoch <= Math.max(this.#movedTo, admitted)) return;
    this.#movedTo = epoch;
    this.emit("interrupted", makeBeforeBreak ? "move" : "crash");
    if (makeBeforeBreak && this.#handover?.stage === "next-heard") this.#promote();
    // Only the node that was placed last can be the dead one: a node that is being left is still good.
    const dead = makeBeforeBreak ? null : (this.#candidate ?? (this.#leaving ? null : this.#serving));
    this.#dropCandidate();
    if (dead && dead === this.#serving) dead.close();
    this.#leaving = this.connected;
    this.emit("change", undefined);
    this.#renewAfter(this.connected || !makeBeforeBreak ? this.#options.random() * spreadMs : 0);
  }

  /** A new session is wanted: comes back with a new offer at once. */
  renew(): void {
    this.#forgetRenewal();
    this.#dropCandidate();
    this.#wanted = true;
    this.emit("wanted", undefined);
  }

  /** Who is in the room may have changed. */
  handlePresence(): void {
    this.#advance();
  }

  stop(): void {
    this.#stopped = true;
    this.#forgetRenewal();
    this.#endHandover();
    this.#candidate?.close();
    this.#serving?.close();
    this.#candidate = null;
    this.#serving = null;
  }

  #adopt(media: Media): Media {
    if (this.#stopped) media.close();
    this.#candidate = media;
    media.on("connected", () => this.#handleConnected(media));
    media.on("lost", () => this.#handleLost(media));
    media.on("roster", () => this.#advance());
    return media;
  }

  #handleConnected(media: Media): void {
    if (media !== this.#candidate || this.#stopped) return;
    if (!this.connected) {
      this.#promote();
      return;
    }
    this.#handover = new Handover(this.#serving?.roster ?? null, performance.now());
    this.#sayLineup();
    this.#advance();
  }

  #handleLost(media: Media): void {
    if (this.#stopped) return;
    if (media === this.#serving) this.#handleServingLost(media);
    else if (media === this.#candidate) this.#handleCandidateLost(media);
  }

  #handleServingLost(media: Media): void {
    this.#unheardEpoch = media.epoch;
    this.emit("interrupted", "silence");
    this.emit("change", undefined);
    if (this.#handover) this.#advance();
    // Otherwise another is on its way.
    else if (!this.#candidate) this.#tryAgain();
  }

  #handleCandidateLost(media: Media): void {
    // Who was never heard by us may be out of our own reach: only after a session that was is it worth asking.
    if (this.#serving && !this.connected) this.#unheardEpoch = media.epoch;
    this.#dropCandidate();
    this.emit("change", undefined);
    this.#tryAgain();
  }

  /** At once, but ever later while sessions fail soon. */
  #tryAgain(): void {
    if (performance.now() - this.#promotedAt >= STEADY_MS) this.#failures = 0;
    this.#renewAfter(this.#failures === 0 ? 0 : backoffMs(this.#failures, this.#options.random()));
    this.#promotedAt = Infinity;
    this.#failures += 1;
  }

  #renewAfter(ms: number): void {
    this.#forgetRenewal();
    if (ms === 0) this.renew();
    else this.#cancelRenewal = steadyTimeout(ms, () => this.renew());
  }

  #forgetRenewal(): void {
    this.#cancelRenewal?.();
    this.#cancelRenewal = null;
  }

  /** Looks whether the handover goes on. */
  #advance(): void {
    if (!this.#handover || !this.#candidate) return;
    const before = this.#handover.stage;
    const { roster } = this.#candidate;
    const surroundings = { roster, present: this.#options.present(), formerLost: !this.connected };
    const stage = this.#handover.advance(surroundings, performance.now());
    if (stage === "over") {
      this.#promote();
      return;
    }
    if (stage !== before) this.#sayLineup();
    this.#cancelStage();
    const wait = (this.#handover.deadline ?? 0) - performance.now();
    this.#cancelStage = steadyTimeout(Math.max(0, wait), () => this.#advance());
  }

  /** The candidate serves from now on. */
  #promote(): void {
    const former = this.#serving;
    this.#serving = this.#candidate;
    this.#candidate = null;
    this.#endHandover();
    this.#leaving = false;
    this.#promotedAt = performance.now();
    this.#unheardEpoch = 0;
    this.#sayLineup();
    if (former?.connected && this.#serving) former.leave(this.#serving.epoch);
    else former?.close();
    this.emit("change", undefined);
  }

  #dropCandidate(): void {
    const candidate = this.#candidate;
    if (!candidate) return;
    this.#candidate = null;
    const wasNext = this.#handover !== null;
    this.#endHandover();
    if (wasNext) this.#sayLineup();
    candidate.close();
  }

  #endHandover(): void {
    this.#cancelStage();
    this.#handover = null;
  }

  #sayLineup(): void {
    const next = this.#handover ? this.#candidate : null;
    const heard = this.#handover?.stage === "next-heard" ? next : this.#serving;
    this.emit("lineup", { serving: this.#serving, next, heard });
  }
}
