/** The way in: makes rooms, looks at links, joins. */
import { SalonError } from "./errors.js";
import { formatLink, parseLink, type RoomLink } from "./link.js";
import { LocalMedia } from "./rtc/devices.js";
import { chooseVideoSlots, type VideoSlots } from "./rtc/offer.js";
import type { Ways } from "./rtc/peer.js";
import { Room } from "./room.js";
import { Signaling, type SignalingOptions } from "./rtc/signaling.js";
import { RoomState } from "./gen/salon/rooms/v1/room_pb.js";
import { loadSession, type KeyValueStore } from "./state/storage.js";

export interface ClientOptions extends Omit<SignalingOptions, "addresses"> {
  /** Base addresses of signaling: one at least. */
  readonly signaling: readonly string[];
  /** How media nodes are reached, beside directly. */
  readonly ways?: Ways;
  /** How many pictures can be received at once; by default as many as the device is good for. */
  readonly videoSlots?: VideoSlots;
  /** What survives a reload is kept here; the tab's session storage by default. */
  readonly store?: KeyValueStore;
}

export interface NewRoom extends RoomLink {
  readonly link: string;
  /** Makes its user the host. Not for sharing. */
  readonly hostSecret: string;
}

/** What a link opens. */
export interface RoomPreview {
  readonly title: string;
  readonly occupancy: number;
  readonly capacity: number;
}

export interface JoinOptions {
  /** A link, or its two parts. */
  readonly link: string | RoomLink;
  /** What others see: 1-64 characters. */
  readonly name: string;
  /** Devices that are on already. */
  readonly media?: LocalMedia;
}

export class SalonClient {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** Whether this browser has what a room needs. */
  static isSupported(): boolean {
    return (
      typeof RTCPeerConnection === "function" &&
      typeof RTCRtpTransceiver === "function" &&
      "setCodecPreferences" in RTCRtpTransceiver.prototype &&
      "requestVideoFrameCallback" in HTMLVideoElement.prototype
    );
  }

  /** Makes a room for the user whom an app's token vouches for. */
  async createRoom(options: { readonly appToken: string; readonly title?: string }): Promise<NewRoom> {
    const request = { appToken: options.appToken, title: options.title ?? "", requestId: crypto.randomUUID() };
    const made = await this.#signaling().call((api, call) => api.createRoom(request, call));
    const parts = { roomId: made.room?.id ?? "", secret: made.inviteSecret };
    const link = made.link === "" ? formatLink(location.origin, parts) : made.link;
    return { ...parts, link, hostSecret: made.hostSecret };
  }

  /** What a link opens. Throws what is wrong with it. */
  async preview(link: string | RoomLink): Promise<RoomPreview> {
    const { roomId, secret } = typeof link === "string" ? parseLink(link) : link;
    const { room, occupancy } = await this.#signaling().call((api, call) =>
      api.previewRoom({ roomId, inviteSecret: secret }, call),
    );
    if (room?.state === RoomState.ENDED) throw new SalonError("room-ended");
    return { title: room?.title ?? "", occupancy, capacity: room?.settings?.capacity ?? 0 };
  }

  /** Starts to join. `room.joined()` tells how it went. */
  join({ link, name, media = new LocalMedia() }: JoinOptions): Room {
    const { roomId, secret } = typeof link === "string" ? parseLink(link) : link;
    return this.#open(roomId, { name, inviteSecret: secret, media, resume: null });
  }

  /** Whether a former page of this tab was in the room, and can be gone on with. */
  canResume(roomId: string): boolean {
    return loadSession(this.#store(), roomId, Date.now()) !== null;
  }

  /** Goes on as the participant that a former page of this tab was; null when there was none. */
  resume(roomId: string, media = new LocalMedia()): Room | null {
    const resume = loadSession(this.#store(), roomId, Date.now());
    if (!resume) return null;
    return this.#open(roomId, { name: resume.name, inviteSecret: resume.inviteSecret, media, resume });
  }

  #open(
    roomId: string,
    rest: { name: string; inviteSecret: string; media: LocalMedia; resume: ReturnType<typeof loadSession> },
  ): Room {
    if (!SalonClient.isSupported()) throw new SalonError("unsupported");
    const videoSlots = this.#options.videoSlots ?? chooseVideoSlots(device());
    const { ways = {} } = this.#options;
    return new Room({ ...rest, roomId, signaling: this.#signaling(), videoSlots, ways, store: this.#store() });
  }

  /** One for each room: it carries the room's token. */
  #signaling(): Signaling {
    const { signaling, ...rest } = this.#options;
    return new Signaling({ ...rest, addresses: signaling });
  }

  #store(): KeyValueStore {
    return this.#options.store ?? sessionStorage;
  }
}

function device(): { shortSide: number; cores: number } {
  return { shortSide: Math.min(screen.width, screen.height), cores: navigator.hardwareConcurrency };
}
