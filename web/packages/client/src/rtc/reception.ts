/**
 * What is received: pictures, voices, and what the node says of them. Outlives media sessions: they come and go, and two
 * are used while one takes over from the other.
 */
import { Emitter } from "../emitter.js";
import type { NodeMessage } from "../gen/salon/media/v1/channel_pb.js";
import type { Want } from "../state/slots.js";
import { AudioOutput } from "./audio.js";
import { VideoLayout } from "./layout.js";
import type { Peer } from "./peer.js";
import type { Lineup } from "./succession.js";

export interface ReceptionEvents {
  /** A slot shows something else, or its picture was covered or uncovered. */
  pictures: undefined;
  speakers: undefined;
  audioBlocked: boolean;
  /** Statistics of a session in use. */
  stats: { readonly peer: Peer; readonly report: RTCStatsReport };
}

export class Reception extends Emitter<ReceptionEvents> {
  readonly pictures: VideoLayout;
  readonly audio = new AudioOutput();
  readonly #subscriptions = new Map<Peer, readonly (() => void)[]>();
  #heard: Peer | null = null;
  #speaking: ReadonlySet<number> = new Set();
  #dominant = 0;

  constructor(videoSlots: number) {
    super();
    this.pictures = new VideoLayout(videoSlots);
    this.pictures.on("change", () => this.emit("pictures", undefined));
    this.audio.on("blocked", (blocked) => this.emit("audioBlocked", blocked));
  }

  /** The session that is heard; null before the first. */
  get peer(): Peer | null {
    return this.#heard;
  }

  /** All sessions that are in use: two while one takes over from the other. */
  get peers(): readonly Peer[] {
    return [...this.#subscriptions.keys()];
  }

  /** The microphones that are heard now, by their source's number. */
  get speaking(): ReadonlySet<number> {
    return this.#speaking;
  }

  /** The microphone of whoever speaks most; 0 while nobody has. */
  get dominant(): number {
    return this.#dominant;
  }

  /** These sessions count from now on. */
  use({ serving, next, heard }: Lineup<Peer>): void {
    const peers = [serving, next].filter((peer) => peer !== null);
    this.#heard = heard;
    this.audio.use(peers, heard);
    this.pictures.use(serving, next);
    for (const peer of this.peers) if (!peers.includes(peer)) this.#forget(peer);
    for (const peer of peers) if (!this.#subscriptions.has(peer)) this.#follow(peer);
  }

  request(wants: readonly Want[]): void {
    this.pictures.request(wants);
  }

  close(): void {
    for (const peer of this.peers) this.#forget(peer);
    this.pictures.close();
    this.audio.stop();
  }

  #follow(peer: Peer): void {
    this.#subscriptions.set(peer, [
      peer.on("open", () => this.pictures.handleOpen(peer)),
      peer.on("message", (message) => this.#handleNode(peer, message)),
      peer.on("stats", (report) => this.emit("stats", { peer, report })),
    ]);
  }

  #forget(peer: Peer): void {
    for (const unsubscribe of this.#subscriptions.get(peer) ?? []) unsubscribe();
    this.#subscriptions.delete(peer);
  }

  #handleNode(peer: Peer, { body }: NodeMessage): void {
    if (body.case === "slotMap") this.pictures.handleSlotMap(peer, body.value);
    if (body.case !== "speakers" || peer !== this.#heard) return;
    this.#speaking = new Set(body.value.sources);
    this.#dominant = body.value.dominant;
    this.emit("speakers", undefined);
  }
}
