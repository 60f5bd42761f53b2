/**
 * One media session: a peer connection with its slots and its data channel.
 *
 * Owns: the connection's life, the tracks that are sent, what the node says of the connection. Doesn't: what slots show,
 * or when a new session is needed.
 */
import { create, fromBinary, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { Emitter } from "../emitter.js";
import { ClientMessageSchema, NodeMessageSchema, type NodeMessage } from "../gen/salon/media/v1/channel_pb.js";
import { watch } from "./alive.js";
import { addSections, cameraLayers, type Sections, type VideoSlots } from "./offer.js";
import { steadyTimeout } from "./steady.js";
import { UplinkMeter } from "./uplink.js";

export interface PeerEvents {
  /** ICE and DTLS are through: media flows. */
  connected: undefined;
  /** Messages can be sent. */
  open: undefined;
  /** The node said something. */
  message: NodeMessage;
  /** The node said who is there. */
  roster: undefined;
  /** The connection's statistics, as they are looked at ten times a second. */
  stats: RTCStatsReport;
  /** The node is not heard any more, or never was. Said once. */
  lost: undefined;
}

export interface SentTracks {
  readonly microphone: MediaStreamTrack | null;
  readonly camera: MediaStreamTrack | null;
}

export type ClientBody = NonNullable<MessageInitShape<typeof ClientMessageSchema>["body"]>;

/** Agreed beforehand, so that it needs no round trip. */
const CHANNEL = { label: "salon", id: 0 } as const;
const CONNECT_MS = 6_000;
/** What was sent last needs the connection so long to leave. */
const LEAVE_MS = 200;
const MESSAGE_BYTES = 16 * 1024;

/** How media nodes are reached where packets do not simply pass: by relays (TURN), and by nothing else if so wished. */
export type Ways = Pick<RTCConfiguration, "iceServers" | "iceTransportPolicy">;

export class Peer extends Emitter<PeerEvents> {
  readonly #connection: RTCPeerConnection;
  readonly #channel: RTCDataChannel;
  readonly #sections: Sections;
  readonly #uplink = new UplinkMeter();
  #cancelConnect = (): void => undefined;
  #stopWatch: (() => void) | null = null;
  #lost = false;
  #offer = "";
  #epoch = 0;
  #roster: ReadonlySet<number> | null = null;
  #downlinkBps = 0;

  private constructor(tracks: SentTracks, videoSlots: VideoSlots, ways: Ways) {
    super();
    this.#connection = new RTCPeerConnection({ ...ways, bundlePolicy: "max-bundle" });
    this.#channel = this.#connection.createDataChannel(CHANNEL.label, { negotiated: true, id: CHANNEL.id });
    this.#channel.binaryType = "arraybuffer";
    this.#sections = addSections(this.#connection, tracks, videoSlots);
    this.#connection.onconnectionstatechange = () => this.#handleState();
    this.#channel.onopen = () => this.emit("open", undefined);
    this.#channel.onmessage = ({ data }: MessageEvent<unknown>) => this.#handleMessage(data);
  }

  /** Makes a session and its offer. */
  static async create(tracks: SentTracks, videoSlots: VideoSlots, ways: Ways = {}): Promise<Peer> {
    const peer = new Peer(tracks, videoSlots, ways);
    // A node needs no candidates from clients, so the offer does not wait for them.
    const offer = await peer.#connection.createOffer();
    await peer.#connection.setLocalDescription(offer);
    peer.#offer = offer.sdp ?? "";
    return peer;
  }

  get offer(): string {
    return this.#offer;
  }

  get connected(): boolean {
    return this.#connection.connectionState === "connected" && !this.#lost;
  }

  /** The placement epoch that it was admitted with; 0 before. */
  get epoch(): number {
    return this.#epoch;
  }

  /** The microphones that the node has said are there; null while it has said nothing. */
  get roster(): ReadonlySet<number> | null {
    return this.#roster;
  }

  /** What the connection carries to the node, in bits a second, as last seen; 0 while unknown. */
  get uplinkBps(): number {
    return this.#uplink.bps;
  }

  /** What the node thinks it can send, in bits a second; 0 while unknown. */
  get downlinkBps(): number {
    return this.#downlinkBps;
  }

  /** Takes the node's answer. From now on the connection is made, or `lost` is said. */
  async accept(answer: string, epoch: number): Promise<void> {
    this.#epoch = epoch;
    this.#cancelConnect = steadyTimeout(CONNECT_MS, () => this.#lose());
    await this.#connection.setRemoteDescription({ type: "answer", sdp: answer });
  }

  /** Sends another track, or none. Needs no negotiation. */
  async replaceTrack(kind: keyof SentTracks, track: MediaStreamTrack | null): Promise<void> {
    const { sender } = this.#sections[kind];
    if (sender.track === track) return;
    await sender.replaceTrack(track);
    if (kind === "camera" && track) await fitLayers(sender, track);
  }

  /** Whether the message was sent. */
  send(body: ClientBody): boolean {
    if (this.#channel.readyState !== "open") return false;
    this.#channel.send(toBinary(ClientMessageSchema, create(ClientMessageSchema, { body })));
    return true;
  }

  /** What a video slot receives with. */
  videoReceiver(slot: number): RTCRtpReceiver | null {
    return this.#sections.video[slot]?.receiver ?? null;
  }

  /** The tracks of all audio slots. */
  audioTracks(): MediaStreamTrack[] {
    return [...this.#sections.speech, this.#sections.programme].map(({ receiver }) => receiver.track);
  }

  getStats(): Promise<RTCStatsReport> {
    return this.#connection.getStats();
  }

  /** Tells the node that another serves us from this epoch on, and closes. */
  leave(epoch: number): void {
    this.#rest();
    const told = this.send({ case: "epochSeen", value: { epoch: BigInt(epoch) } });
    // Closed at once, the connection would take the message with it.
    if (told) steadyTimeout(LEAVE_MS, () => this.close());
    else this.close();
  }

  close(): void {
    this.#rest();
    this.#connection.onconnectionstatechange = null;
    this.#connection.close();
  }

  #handleState(): void {
    const state = this.#connection.connectionState;
    if (state === "connected" && !this.#stopWatch) {
      this.#cancelConnect();
      this.#stopWatch = watch(
        () => this.#look(),
        () => this.#lose(),
      );
      this.emit("connected", undefined);
    } else if (state === "failed") {
      this.#lose();
    }
  }

  async #look(): Promise<RTCStatsReport> {
    const report = await this.#connection.getStats();
    this.#uplink.observe(report, performance.now());
    this.emit("stats", report);
    return report;
  }

  /** It counts no more, and is not watched. */
  #rest(): void {
    this.#lost = true;
    this.#cancelConnect();
    this.#stopWatch?.();
  }

  #lose(): void {
    if (this.#lost) return;
    this.#rest();
    this.emit("lost", undefined);
  }

  #handleMessage(data: unknown): void {
    if (!(data instanceof ArrayBuffer) || data.byteLength > MESSAGE_BYTES) return;
    let message: NodeMessage;
    try {
      message = fromBinary(NodeMessageSchema, new Uint8Array(data));
    } catch {
      return;
    }
    this.#note(message);
    this.emit("message", message);
  }

  #note({ body }: NodeMessage): void {
    if (body.case === "quality") this.#downlinkBps = Number(body.value.downlinkBps);
    if (body.case !== "roster") return;
    this.#roster = new Set(body.value.microphones);
    this.emit("roster", undefined);
  }
}

/** The layers were offered for another camera, or for none yet. */
async function fitLayers(sender: RTCRtpSender, track: MediaStreamTrack): Promise<void> {
  const parameters = sender.getParameters();
  const layers = cameraLayers(track);
  for (const [index, encoding] of parameters.encodings.entries()) Object.assign(encoding, layers[index]);
  await sender.setParameters(parameters);
}
