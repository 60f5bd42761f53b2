/**
 * A participant's stay, through everything a page can lose: the event stream, the replica, the media node, the place.
 *
 * Owns: the stream and the media session, and when each is made anew. Doesn't: what events mean (state/model.ts).
 * The stream and the media live apart: media goes on while no replica answers, events while no node does.
 */
import { create } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Emitter } from "../emitter.js";
import { SalonError } from "../errors.js";
import type { Event, Snapshot } from "../gen/salon/rooms/v1/room_pb.js";
import {
  JoinRequestSchema,
  type JoinRequest,
  type JoinResponse,
  type SessionToken,
  type Welcome,
} from "../gen/salon/signaling/v1/signaling_pb.js";
import { backoffMs } from "../state/backoff.js";
import { recover } from "../state/recovery.js";
import type { PeerEvents } from "./peer.js";
import type { Signaling } from "./signaling.js";
import { sleep } from "./timing.js";

/** What a session needs of a media session; `Peer` is one. */
export interface MediaSession {
  readonly offer: string;
  readonly connected: boolean;
  accept(answer: string): Promise<void>;
  close(): void;
  on<Name extends keyof PeerEvents>(event: Name, listener: (value: PeerEvents[Name]) => void): () => void;
}

export interface SessionEvents<Media> {
  welcome: Welcome;
  event: Event;
  snapshot: Snapshot;
  /** At the door: somebody has to let us in. */
  waiting: undefined;
  token: Token;
  /** The media session that counts from now on. The one before is closed right after. */
  media: Media;
  /** Whether both the stream and the media are there. */
  status: SessionStatus;
  /** It is over. */
  ended: SalonError;
}

export type SessionStatus = "connecting" | "connected" | "reconnecting";

export interface Token {
  readonly token: string;
  readonly expiresAtMs: number;
}

export interface SessionOptions<Media> {
  readonly signaling: Signaling;
  readonly roomId: string;
  readonly name: string;
  readonly inviteSecret: string;
  /** A token from before, to resume with. */
  readonly sessionToken: string;
  readonly makeMedia: () => Promise<Media>;
  /** Where the events stand. */
  readonly position: () => { readonly lastEvent: number; readonly epoch: number };
  readonly random?: () => number;
}

export class Session<Media extends MediaSession> extends Emitter<SessionEvents<Media>> {
  readonly #options: SessionOptions<Media>;
  readonly #random: () => number;
  #token: string;
  /** Kept until a welcome, so that a repeated join is not a second one. */
  #requestId = crypto.randomUUID();
  #stream = new AbortController();
  #stopped = false;
  #wasIn: boolean;
  #streamOpen = false;
  #failures = 0;
  /** The session that people see and hear. */
  #media: Media | null = null;
  /** The one that will take its place once it is connected, or offered and not answered yet. */
  #candidate: Media | null = null;
  #mediaFailures = 0;
  /** The next request carries an offer. */
  #wantsMedia = true;
  #status: SessionStatus = "connecting";

  constructor(options: SessionOptions<Media>) {
    super();
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.#token = options.sessionToken;
    options.signaling.token = options.sessionToken;
    this.#wasIn = options.sessionToken !== "";
  }

  /** Lives until `stop`, or until it emits `ended`. */
  async run(): Promise<void> {
    while (!this.#stopped) {
      const error = await this.#attempt();
      if (this.#isStopped()) return;
      this.#streamOpen = false;
      this.#report();
      if (error !== "again") await this.#handleFailure(error);
    }
  }

  /** Ends without a word to the service. */
  stop(): void {
    this.#stopped = true;
    this.#stream.abort();
    this.#dropCandidate();
    this.#media?.close();
    this.#media = null;
  }

  /** Comes back to the stream with a new offer at once. */
  renewMedia(): void {
    this.#dropCandidate();
    this.#wantsMedia = true;
    this.#stream.abort();
  }

  /** Comes back to the stream at once: events are missing. */
  renewStream(): void {
    this.#stream.abort();
  }

  /** Tries again now instead of later: the network is back. */
  hurry(): void {
    if (!this.#streamOpen) this.#stream.abort();
  }

  // A getter's value would be narrowed by the compiler across an await, where it changes.
  #isStopped(): boolean {
    return this.#stopped;
  }

  /** One stream, from its request to its end. Answers why it ended. */
  async #attempt(): Promise<unknown> {
    const stream = new AbortController();
    this.#stream = stream;
    try {
      const request = await this.#request();
      for await (const message of this.#options.signaling.join(request, stream.signal)) {
        if (stream.signal.aborted) return "again";
        await this.#handle(message);
        if (this.#isStopped()) return "again";
      }
      return stream.signal.aborted ? "again" : new StreamEnd();
    } catch (error) {
      return stream.signal.aborted ? "again" : error;
    } finally {
      stream.abort();
    }
  }

  async #request(): Promise<JoinRequest> {
    const { roomId, name, inviteSecret, position, makeMedia } = this.#options;
    if (this.#wantsMedia && !this.#candidate) this.#adoptCandidate(await makeMedia());
    const { lastEvent, epoch } = position();
    const resume = this.#token !== "";
    return create(JoinRequestSchema, {
      roomId,
      requestId: this.#requestId,
      credential: resume ? { case: "sessionToken", value: this.#token } : { case: "inviteSecret", value: inviteSecret },
      name,
      offer: this.#wantsMedia ? (this.#candidate?.offer ?? "") : "",
      ...(resume ? { lastEvent: BigInt(lastEvent), epoch: BigInt(epoch) } : {}),
    });
  }

  async #handle({ body }: JoinResponse): Promise<void> {
    switch (body.case) {
      case "welcome":
        return this.#handleWelcome(body.value);
      case "event":
        this.emit("event", body.value);
        return;
      case "snapshot":
        this.emit("snapshot", body.value);
        return;
      case "sessionToken":
        this.#renewToken(body.value);
        return;
      case "waiting":
        this.emit("waiting", undefined);
        return;
      case "moved":
        if (Number(body.value.epoch) >= this.#options.position().epoch) this.renewMedia();
        return;
      case "takenOver":
        this.#end(new SalonError("taken-over"));
        return;
      default:
        return;
    }
  }

  async #handleWelcome(welcome: Welcome): Promise<void> {
    if (welcome.sessionToken) this.#renewToken(welcome.sessionToken);
    this.#requestId = crypto.randomUUID();
    this.#wasIn = true;
    this.#streamOpen = true;
    this.#failures = 0;
    this.emit("welcome", welcome);
    if (this.#wantsMedia && this.#candidate && welcome.answer !== "")
      await this.#connect(this.#candidate, welcome.answer);
    this.#report();
  }

  async #connect(media: Media, answer: string): Promise<void> {
    this.#wantsMedia = false;
    try {
      await media.accept(answer);
    } catch {
      this.#handleLost(media);
    }
  }

  #renewToken(token: SessionToken): void {
    this.#token = token.token;
    this.#options.signaling.token = token.token;
    const expiresAtMs = token.expiresAt ? timestampMs(token.expiresAt) : 0;
    this.emit("token", { token: token.token, expiresAtMs });
  }

  async #handleFailure(error: unknown): Promise<void> {
    this.#failures += 1;
    this.#options.signaling.rotate();
    const recovery =
      error instanceof StreamEnd
        ? ({ action: "retry" } as const)
        : recover(error, {
            wasIn: this.#wasIn,
            resuming: this.#token !== "",
            hasInvite: this.#options.inviteSecret !== "",
            failures: this.#failures,
          });
    if (recovery.action === "give-up") {
      this.#end(recovery.error);
      return;
    }
    if (recovery.action === "rejoin") {
      this.#token = "";
      this.#wantsMedia = true;
      this.#requestId = crypto.randomUUID();
    }
    // Woken early when media is lost meanwhile.
    this.#stream = new AbortController();
    await sleep(backoffMs(this.#failures - 1, this.#random()), this.#stream.signal);
  }

  #adoptCandidate(media: Media): void {
    this.#candidate = media;
    media.on("connected", () => this.#promote(media));
    media.on("lost", () => this.#handleLost(media));
  }

  #promote(media: Media): void {
    if (media !== this.#candidate) return;
    const former = this.#media;
    this.#media = media;
    this.#candidate = null;
    this.#mediaFailures = 0;
    this.emit("media", media);
    former?.close();
    this.#report();
  }

  #handleLost(media: Media): void {
    if (media !== this.#media && media !== this.#candidate) return;
    this.#report();
    // A new session is already on its way.
    if (media === this.#media && this.#candidate) return;
    const wait = this.#mediaFailures === 0 ? 0 : backoffMs(this.#mediaFailures, this.#random());
    this.#mediaFailures += 1;
    void sleep(wait).then(() => {
      if (!this.#stopped && (media === this.#media || media === this.#candidate)) this.renewMedia();
    });
  }

  #dropCandidate(): void {
    this.#candidate?.close();
    this.#candidate = null;
  }

  #report(): void {
    const connected = this.#streamOpen && this.#media?.connected === true;
    const status = connected ? "connected" : this.#status === "connecting" ? "connecting" : "reconnecting";
    if (status === this.#status) return;
    this.#status = status;
    this.emit("status", status);
  }

  #end(error: SalonError): void {
    if (this.#stopped) return;
    this.stop();
    this.emit("ended", error);
  }
}

/** The service closed the stream without an error. */
class StreamEnd extends Error {}
