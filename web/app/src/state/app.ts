/** Where the person is in the app, and the steps between. */
import { signal } from "@preact/signals";
import { LocalMedia, SalonClient, SalonError, type Room, type RoomLink } from "@salon/client";
import { demoToken, type AppConfig } from "../config.js";
import { recallDevices, recallHostSecret, rememberDevices, rememberHostSecret, rememberName } from "./memory.js";
import { routeOf } from "./route.js";
import { viewRoom, type RoomView } from "./room_view.js";

export type Screen =
  | { readonly name: "start" }
  | {
      readonly name: "lobby";
      readonly link: RoomLink;
      /** Grows, so that each visit begins anew. */ readonly visit: number;
    }
  | { readonly name: "room"; readonly link: RoomLink; readonly view: RoomView }
  | { readonly name: "left"; readonly link: RoomLink }
  | { readonly name: "error"; readonly error: SalonError; readonly retry: (() => void) | null };

declare global {
  interface Window {
    /** The room that the page is in: a handle for tests and for people who look for faults. */
    __salon?: Room;
  }
}

export class App {
  readonly screen = signal<Screen>({ name: "start" });
  readonly client: SalonClient;
  readonly #config: AppConfig;
  /** The room that the person is in, or on the way into. */
  #room: Room | null = null;
  #visits = 0;

  constructor(config: AppConfig) {
    this.#config = config;
    this.client = new SalonClient({ signaling: config.signaling, ways: config.ways });
  }

  /** Shows what the address says, and leaves the room that it says nothing of. */
  open(): void {
    const route = routeOf(location.pathname, location.hash);
    const screen = this.screen.value;
    if (screen.name === "room" && route.page === "room" && route.link.roomId === screen.link.roomId) return;
    void this.#room?.leave();
    this.#room = null;
    if (route.page === "error") return this.fail(route.error, null);
    if (route.page === "start") {
      this.screen.value = { name: "start" };
      return;
    }
    if (!SalonClient.isSupported()) return this.fail(new SalonError("unsupported"), null);
    if (!this.#resume(route.link)) this.#showLobby(route.link);
  }

  /** Goes to another address of this app. */
  navigate(path: string): void {
    history.pushState(null, "", path);
    this.open();
  }

  async startRoom(name: string, title: string): Promise<void> {
    rememberName(name);
    const appToken = await demoToken(this.#config, name);
    const room = await this.client.createRoom({ appToken, title });
    rememberHostSecret(room.roomId, room.hostSecret);
    this.navigate(`/r/${room.roomId}#${room.secret}`);
  }

  /** Joins from the lobby. Shows the room once in; until then the answered room tells how it goes. */
  join(link: RoomLink, name: string, media: LocalMedia): Room {
    rememberName(name);
    const secret = recallHostSecret(link.roomId) ?? link.secret;
    const room = this.client.join({ link: { roomId: link.roomId, secret }, name, media });
    this.#room = room;
    room.joined().then(
      (isIn) => {
        if (isIn) this.#show(link, room);
      },
      (error: unknown) => this.#handleRefused(link, error),
    );
    return room;
  }

  /** `retry` null: there is nothing to try again. */
  fail(error: SalonError, retry: (() => void) | null): void {
    this.screen.value = { name: "error", error, retry };
  }

  #resume(link: RoomLink): boolean {
    const media = new LocalMedia();
    const room = this.client.resume(link.roomId, media);
    if (!room) return false;
    const devices = recallDevices();
    // Refused now: the buttons in the room say why when they are pressed.
    if (devices.camera) void media.setCamera(true).catch(() => undefined);
    if (devices.microphone) void media.setMicrophone(true).catch(() => undefined);
    this.#show(link, room);
    return true;
  }

  #showLobby(link: RoomLink): void {
    this.#visits += 1;
    this.screen.value = { name: "lobby", link, visit: this.#visits };
  }

  #show(link: RoomLink, room: Room): void {
    this.#room = room;
    const view = viewRoom(room);
    window.__salon = room;
    const remember = (): void => {
      // The end switches both off; whoever comes back wants them as they were.
      if (room.state === "ended") return;
      rememberDevices({ camera: room.media.cameraOn, microphone: room.media.microphoneOn });
    };
    room.on("media", remember);
    remember();
    room.on("ended", (error) => {
      this.#room = null;
      this.#handleEnded(link, error);
    });
    this.screen.value = { name: "room", link, view };
  }

  #handleEnded(link: RoomLink, error: SalonError | null): void {
    if (error) this.fail(error, () => this.open());
    else this.screen.value = { name: "left", link };
  }

  #handleRefused(link: RoomLink, error: unknown): void {
    const known = error instanceof SalonError ? error : new SalonError("internal", String(error));
    if (this.screen.value.name !== "lobby") return;
    this.#room = null;
    this.fail(known, () => this.#showLobby(link));
  }
}
