/**
 * A participant's stay, through everything a page can lose: the event stream, the replica, the media node, the place.
 *
 * Owns: the stream, and when it is made anew. Doesn't: which media sessions there are (succession.ts), what events mean
 * (state/model.ts). The stream and the media live apart: media goes on while no replica answers, events while no node
 * does.
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
import type { Cause } from "../state/quality.js";
import { recover } from "../state/recovery.js";
import type { Signaling } from "./signaling.js";
import { Succession, type Lineup, type MediaSession } from "./succession.js";
import { sleep } from "./timing.js";

export interface SessionEvents<Media> {
  welcome: Welcome;
  event: Event;
  snapshot: Snapshot;
  /** At the door: somebody has to let us in. */
  waiting: undefined;
  token: Token;
  /** The media sessions that count from now on. Those that do no more are closed right after. */
  lineup: Lineup<Media>;
  status: SessionStatus;
  /** The media session was lost, or is to be replaced. */
  interrupted: Cause;
  /** It is over. */
  ended: SalonError;
}

/**
 * "reconnecting": no media. "behind": media flows, but the service is not heard, so events and chat come later. A planned
 * move, or a stream made anew, is neither.
 */
export type SessionStatus = "connecting" | "connected" | "reconnecting" | "behind";

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
  /** The microphones of everybody who is in the room. */
  readonly present: () => ReadonlySet<number>;
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
  /** It ended, and not because we came back on purpose. */
  #streamLost = true;
  #failures = 0;
  readonly #media: Succession<Media>;
  #status: SessionStatus = "connecting";

  constructor(options: SessionOptions<Media>) {
    super();
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.#token = options.sessionToken;
    options.signaling.token = options.sessionToken;
    this.#wasIn = options.sessionToken !== "";
    const { makeMedia, present } = options;
    this.#media = new Succession<Media>({ make: makeMedia, present, random: this.#random });
    this.#media.on("lineup", (lineup) => this.emit("lineup", lineup));
    this.#media.on("change", () => this.#report());
    this.#media.on("interrupted", (cause) => this.emit("interrupted", cause));
    // Cuts a running stream and a wait alike: the next request carries the offer.
    this.#media.on("wanted", () => this.#stream.abort());
  }

  /** Lives until `stop`, or until it emits `ended`. */
  async run(): Promise<void> {
    while (!this.#stopped) {
      const error = await this.#attempt();
      if (this.#isStopped()) return;
      this.#streamOpen = false;
      if (error !== "again") await this.#handleFailure(error);
    }
  }

  /** Ends without a word to the service. */
  stop(): void {
    this.#stopped = true;
    this.#stream.abort();
    this.#media.stop();
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
    const { roomId, name, inviteSecret, position } = this.#options;
    const media = await this.#media.offer();
    const { lastEvent, epoch } = position();
    const resume = this.#token !== "";
    return create(JoinRequestSchema, {
      roomId,
      requestId: this.#requestId,
      credential: resume ? { case: "sessionToken", value: this.#token } : { case: "inviteSecret", value: inviteSecret },
      name,
      ...media,
      ...(resume ? { lastEvent: BigInt(lastEvent), epoch: BigInt(epoch) } : {}),
    });
  }

  async #handle({ body }: JoinResponse): Promise<void> {
    switch (body.case) {
      case "welcome":
        return this.#handleWelcome(body.value);
      case "event":
        this.emit("event", body.value);
        this.#media.handlePresence();
        return;
      case "snapshot":
        this.emit("snapshot", body.value);
        this.#media.handlePresence();
        return;
      case "sessionToken":
        this.#renewToken(body.value);
        return;
      case "waiting":
        this.emit("waiting", undefined);
        return;
      case "moved":
        this.#media.move({ ...body.value, epoch: Number(body.value.epoch) });
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
    this.#streamLost = false;
    this.#failures = 0;
    this.emit("welcome", welcome);
    await this.#media.accept(welcome.answer, Number(welcome.epoch));
    this.#report();
  }

  #renewToken(token: SessionToken): void {
    this.#token = token.token;
    this.#options.signaling.token = token.token;
    const expiresAtMs = token.expiresAt ? timestampMs(token.expiresAt) : 0;
    this.emit("token", { token: token.token, expiresAtMs });
  }

  async #handleFailure(error: unknown): Promise<void> {
    this.#streamLost = true;
    this.#report();
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
      this.#requestId = crypto.randomUUID();
      this.#media.renew();
    }
    // Woken early when media is lost meanwhile.
    this.#stream = new AbortController();
    await sleep(backoffMs(this.#failures - 1, this.#random()), this.#stream.signal);
  }

  #report(): void {
    const status = this.#current();
    if (status === this.#status) return;
    this.#status = status;
    this.emit("status", status);
  }

  #current(): SessionStatus {
    if (this.#media.connected) return this.#streamLost ? "behind" : "connected";
    return this.#status === "connecting" ? "connecting" : "reconnecting";
  }

  #end(error: SalonError): void {
    if (this.#stopped) return;
    this.stop();
    this.emit("ended", error);
  }
}

/** The service closed the stream without an error. */
class StreamEnd extends Error {}
