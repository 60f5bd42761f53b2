/**
 * What is received: pictures, voices, and what the node says of them. Outlives media sessions: one after the other is
 * used.
 */
import { Emitter } from "../emitter.js";
import type { NodeMessage } from "../gen/salon/media/v1/channel_pb.js";
import type { Want } from "../state/slots.js";
import { AudioOutput } from "./audio.js";
import { VideoLayout } from "./layout.js";
import type { Peer } from "./peer.js";

export interface ReceptionEvents {
  /** A slot shows something else, or its picture was covered or uncovered. */
  pictures: undefined;
  speakers: undefined;
  audioBlocked: boolean;
}

export class Reception extends Emitter<ReceptionEvents> {
  readonly pictures: VideoLayout;
  readonly audio = new AudioOutput();
  #peer: Peer | null = null;
  #speaking: ReadonlySet<number> = new Set();
  #dominant = 0;
  #downlinkBps = 0;
  #epoch = 0;

  constructor(videoSlots: number) {
    super();
    this.pictures = new VideoLayout(videoSlots);
    this.pictures.on("change", () => this.emit("pictures", undefined));
    this.audio.on("blocked", (blocked) => this.emit("audioBlocked", blocked));
  }

  /** The session that is received from; null before the first. */
  get peer(): Peer | null {
    return this.#peer;
  }

  /** The microphones that are heard now, by their source's number. */
  get speaking(): ReadonlySet<number> {
    return this.#speaking;
  }

  /** The microphone of whoever speaks most; 0 while nobody has. */
  get dominant(): number {
    return this.#dominant;
  }

  /** What the node thinks it can send, in bits a second; 0 while unknown. */
  get downlinkBps(): number {
    return this.#downlinkBps;
  }

  /** Another session counts from now on. */
  use(peer: Peer): void {
    this.#peer = peer;
    this.pictures.useMedia(peer);
    this.audio.play(peer.audioTracks());
    peer.on("open", () => {
      this.pictures.handleOpen(peer);
      this.#tellEpoch();
    });
    peer.on("message", (message) => {
      if (peer === this.#peer) this.#handleNode(message);
    });
    this.#tellEpoch();
  }

  request(wants: readonly Want[]): void {
    this.pictures.request(wants);
  }

  /** The highest placement epoch seen: a node below it lets the participant go. */
  raiseEpoch(epoch: number): void {
    if (epoch <= this.#epoch) return;
    this.#epoch = epoch;
    this.#tellEpoch();
  }

  close(): void {
    this.pictures.close();
    this.audio.stop();
  }

  #tellEpoch(): void {
    if (this.#epoch > 0) this.#peer?.send({ case: "epochSeen", value: { epoch: BigInt(this.#epoch) } });
  }

  #handleNode({ body }: NodeMessage): void {
    switch (body.case) {
      case "slotMap":
        this.pictures.handleSlotMap(body.value);
        return;
      case "speakers":
        this.#speaking = new Set(body.value.sources);
        this.#dominant = body.value.dominant;
        this.emit("speakers", undefined);
        return;
      case "quality":
        this.#downlinkBps = Number(body.value.downlinkBps);
        return;
      default:
        return;
    }
  }
}
