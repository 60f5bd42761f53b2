/**
 * A room that this client is in: what it shows, and what can be done in it.
 *
 * Joins the parts: the session (stream and media), the model (who is here), what is received, the devices.
 * Each part knows none of the others.
 */
import { Emitter } from "./emitter.js";
import { SalonError } from "./errors.js";
import { SessionKeeper } from "./keeper.js";
import { LocalMedia } from "./rtc/devices.js";
import type { VideoSlots } from "./rtc/offer.js";
import { Peer, type Ways } from "./rtc/peer.js";
import { Reception } from "./rtc/reception.js";
import { QualityReporter } from "./rtc/quality.js";
import { SourceReporter } from "./rtc/reporter.js";
import { Session, type SessionStatus, type Token } from "./rtc/session.js";
import type { Signaling } from "./rtc/signaling.js";
import {
  applyEvent,
  applySnapshot,
  EMPTY,
  expandLog,
  microphonesOf,
  ownerOf,
  raiseEpoch,
  type ChatLine,
  type Participant,
  type RoomModel,
} from "./state/model.js";
import type { KeyValueStore, StoredSession } from "./state/storage.js";
import { tilesOf, wantsOf, type Tile, type TileRequest } from "./state/tiles.js";

export type RoomState = "joining" | "waiting" | SessionStatus | "ended";

export interface RoomEvents {
  state: RoomState;
  participants: undefined;
  chat: undefined;
  tiles: undefined;
  speakers: undefined;
  /** The own camera or microphone was switched. */
  media: undefined;
  /** The browser plays nothing before a click: call `startAudio` from one. */
  audioBlocked: boolean;
  /** It is over, by an error or (null) by `leave`. */
  ended: SalonError | null;
}

export interface RoomOptions {
  readonly signaling: Signaling;
  readonly roomId: string;
  readonly name: string;
  readonly inviteSecret: string;
  readonly videoSlots: VideoSlots;
  readonly ways?: Ways;
  readonly media: LocalMedia;
  readonly store: KeyValueStore;
  /** What a former page of this tab left behind. */
  readonly resume: StoredSession | null;
}

const LEAVE_TRIES = 2;
const CHAT_TRIES = 12;

export class Room extends Emitter<RoomEvents> {
  readonly id: string;
  readonly media: LocalMedia;
  readonly #options: RoomOptions;
  readonly #session: Session<Peer>;
  readonly #reception: Reception;
  readonly #reporter: SourceReporter;
  readonly #quality: QualityReporter;
  readonly #keeper: SessionKeeper;
  #model: RoomModel;
  #ownId: string;
  #token: Token;
  #state: RoomState = "joining";
  #requests: readonly TileRequest[] = [];
  #nodeId = "";
  #welcomed = false;

  constructor(options: RoomOptions) {
    super();
    const { resume } = options;
    this.#options = options;
    this.id = options.roomId;
    this.media = options.media;
    this.#model = resume?.model ?? { ...EMPTY, roomId: options.roomId };
    this.#ownId = resume?.participantId ?? "";
    this.#token = { token: resume?.token ?? "", expiresAtMs: resume?.expiresAtMs ?? 0 };
    this.#reception = new Reception(options.videoSlots);
    this.#reporter = new SourceReporter(options.signaling, this.media);
    this.#quality = new QualityReporter(options.signaling, () => this.tiles);
    this.#keeper = new SessionKeeper(options.store, () => this.#stored());
    this.#session = new Session<Peer>({
      signaling: options.signaling,
      roomId: options.roomId,
      name: options.name,
      inviteSecret: options.inviteSecret,
      sessionToken: this.#token.token,
      makeMedia: () => Peer.create(this.media, options.videoSlots, options.ways),
      position: () => this.#model,
      present: () => microphonesOf(this.#model),
    });
    this.#connectParts();
    addEventListener("pagehide", this.#handlePageHide);
    addEventListener("online", this.#handleOnline);
    void this.#session.run();
  }

  get state(): RoomState {
    return this.#state;
  }

  get title(): string {
    return this.#model.title;
  }

  /** The own participant's id; empty before the welcome. */
  get participantId(): string {
    return this.#ownId;
  }

  get name(): string {
    return this.#options.name;
  }

  /** Everybody who is listed and was let in, oneself included. */
  get participants(): readonly Participant[] {
    return [...this.#model.participants.values()].filter(({ state }) => state !== "waiting");
  }

  get chat(): readonly ChatLine[] {
    return this.#model.chat;
  }

  /** A tile for each picture that others send or could send. */
  get tiles(): readonly Tile[] {
    return tilesOf(this.#model, this.#ownId, this.#reception.speaking, this.#reception.pictures);
  }

  /** How many pictures can be received at once. */
  get videoSlots(): number {
    return this.#reception.pictures.slots;
  }

  /** Whether one is heard oneself. */
  get speaking(): boolean {
    const own = this.#model.participants.get(this.#ownId);
    return own?.sources.some(({ number }) => this.#reception.speaking.has(number)) === true;
  }

  /** The participant who speaks most; null while nobody has. */
  get dominantSpeaker(): string | null {
    return ownerOf(this.#model, this.#reception.dominant)?.participant.id ?? null;
  }

  get audioBlocked(): boolean {
    return this.#reception.audio.blocked;
  }

  /** What the node thinks it can send to us, in bits a second; 0 while unknown. */
  get downlinkBps(): number {
    return this.#reception.peer?.downlinkBps ?? 0;
  }

  /** The node that serves the media. For people who look for faults. */
  get nodeId(): string {
    return this.#nodeId;
  }

  /** The numbers of all events applied one by one, in order. For tests and people who look for faults. */
  get eventLog(): number[] {
    return expandLog(this.#model.log);
  }

  /** What the audio slots receive. For tests and level meters. */
  get audioTracks(): MediaStreamTrack[] {
    return this.#reception.peer?.audioTracks() ?? [];
  }

  /** The media session's statistics; null while there is none. */
  async getStats(): Promise<RTCStatsReport | null> {
    return (await this.#reception.peer?.getStats()) ?? null;
  }

  /** Resolves once in, with false when `leave` came first; rejects when it cannot be. */
  joined(): Promise<boolean> {
    if (this.#welcomed) return Promise.resolve(true);
    return new Promise((resolve, reject) => {
      this.#session.on("welcome", () => resolve(true));
      this.on("ended", (error) => {
        if (error) reject(error);
        else resolve(false);
      });
    });
  }

  /** Says which pictures are visible, and how tall. Pictures that are not named are not received. */
  requestTiles(requests: readonly TileRequest[]): void {
    this.#requests = requests;
    this.#requestLayout();
  }

  /** Shows a tile's picture in an element, and covers it while the picture is not surely that tile's. */
  attachTile(source: number, element: HTMLVideoElement): () => void {
    return this.#reception.pictures.attach(source, element);
  }

  setCamera(on: boolean): Promise<void> {
    return this.media.setCamera(on);
  }

  setMicrophone(on: boolean): Promise<void> {
    return this.media.setMicrophone(on);
  }

  /** Lets the browser play; from a click. */
  startAudio(): Promise<void> {
    return this.#reception.audio.start();
  }

  /** Writes to everybody. Resolves with the event's number once it is stored: then it is not lost any more. */
  async sendChat(text: string): Promise<number> {
    const request = { requestId: crypto.randomUUID(), text };
    const { signaling } = this.#options;
    const answer = await signaling.call((api, options) => api.sendChat(request, options), CHAT_TRIES);
    return Number(answer.eventNumber);
  }

  /** Leaves for good. */
  async leave(): Promise<void> {
    const { signaling } = this.#options;
    const wasIn = this.#welcomed && this.#state !== "ended";
    const told = wasIn ? signaling.call((api, options) => api.leave({}, options), LEAVE_TRIES) : Promise.resolve();
    if (wasIn) void this.#quality.report();
    this.#close(null);
    this.#keeper.forget(this.id);
    // Where the call fails, the service notices by itself that nobody vouches for us any more.
    await told.catch(() => undefined);
  }

  #connectParts(): void {
    const session = this.#session;
    session.on("welcome", (welcome) => {
      this.#welcomed = true;
      this.#ownId = welcome.participantId;
      this.#nodeId = welcome.nodeId;
      if (welcome.snapshot) this.#model = applySnapshot(this.#model, welcome.snapshot);
      this.#model = raiseEpoch(this.#model, Number(welcome.epoch));
      if (this.#state === "joining" || this.#state === "waiting") this.#setState("connecting");
      this.#quality.handleWelcome();
      this.#handleChange();
    });
    session.on("event", (event) => {
      const applied = applyEvent(this.#model, event, this.#ownId);
      if (applied.outcome === "gap") session.renewStream();
      if (applied.outcome !== "applied") return;
      const chatted = applied.model.chat !== this.#model.chat;
      this.#model = applied.model;
      if (chatted) this.emit("chat", undefined);
      this.#handleChange();
    });
    session.on("snapshot", (snapshot) => {
      this.#model = applySnapshot(this.#model, snapshot);
      this.#handleChange();
    });
    session.on("token", (token) => {
      this.#token = token;
      this.#keeper.saveSoon();
    });
    session.on("waiting", () => this.#setState("waiting"));
    session.on("status", (status) => this.#setState(status));
    session.on("ended", (error) => this.#close(error));
    session.on("interrupted", (cause) => this.#quality.handleInterruption(cause));
    session.on("lineup", (lineup) => {
      this.#reception.use(lineup);
      this.#quality.handleConnected();
      // A device may have been switched while the session was made.
      this.#handleDevices();
    });
    this.#reception.on("pictures", () => {
      this.#quality.handlePictures();
      this.emit("tiles", undefined);
    });
    this.#reception.on("stats", ({ peer, report }) => this.#quality.handleStats(peer, report));
    this.#reception.on("speakers", () => this.emit("speakers", undefined));
    this.#reception.on("audioBlocked", (blocked) => this.emit("audioBlocked", blocked));
    this.media.on("change", () => this.#handleDevices());
  }

  /** The model is another one. */
  #handleChange(): void {
    const { ownExit, ended } = this.#model;
    if (ownExit === "removed") this.#close(new SalonError("removed"));
    else if (ended || ownExit === "ended") this.#close(new SalonError("room-ended"));
    if (this.#state === "ended") return;
    this.#requestLayout();
    this.#reportSources();
    this.#keeper.saveSoon();
    this.emit("participants", undefined);
    this.emit("tiles", undefined);
  }

  #handleDevices(): void {
    for (const peer of this.#reception.peers) {
      for (const kind of ["camera", "microphone"] as const) {
        // Rejected by a session that was closed meanwhile.
        peer.replaceTrack(kind, this.media[kind]).catch(() => undefined);
      }
    }
    this.#reportSources();
    this.emit("media", undefined);
  }

  #reportSources(): void {
    if (this.#state !== "ended") void this.#reporter.compare(this.#model.participants.get(this.#ownId));
  }

  #requestLayout(): void {
    this.#reception.request(wantsOf(this.#model, this.#requests));
  }

  #setState(state: RoomState): void {
    if (this.#state === "ended" || state === this.#state) return;
    this.#state = state;
    this.emit("state", state);
  }

  #close(error: SalonError | null): void {
    if (this.#state === "ended") return;
    // Another page of this participant may use what is stored, and taking over is up to the person.
    if (error && error.code !== "taken-over") this.#keeper.forget(this.id);
    else this.#keeper.saveNow();
    this.#setState("ended");
    removeEventListener("pagehide", this.#handlePageHide);
    removeEventListener("online", this.#handleOnline);
    this.#session.stop();
    this.#reception.close();
    this.media.stop();
    this.emit("ended", error);
  }

  readonly #handlePageHide = (): void => {
    this.#keeper.saveNow();
    // Told at once, the node frees the place sooner than by silence, unless the page comes back.
    this.#session.stop();
  };

  readonly #handleOnline = (): void => this.#session.hurry();

  #stored(): StoredSession | null {
    if (this.#token.token === "" || this.#ownId === "" || this.#state === "ended") return null;
    const { name, inviteSecret } = this.#options;
    return { participantId: this.#ownId, name, inviteSecret, ...this.#token, model: this.#model };
  }
}
