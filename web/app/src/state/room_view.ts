/** A room as signals: each event of the SDK becomes a value that views read. */
import { batch, signal, type ReadonlySignal } from "@preact/signals";
import type { ChatLine, Participant, Room, RoomState, SalonError, Tile } from "@salon/client";

export interface RoomView {
  readonly room: Room;
  readonly state: ReadonlySignal<RoomState>;
  readonly title: ReadonlySignal<string>;
  readonly participants: ReadonlySignal<readonly Participant[]>;
  readonly tiles: ReadonlySignal<readonly Tile[]>;
  /** Whether one is heard oneself. */
  readonly speaking: ReadonlySignal<boolean>;
  readonly chat: ReadonlySignal<readonly ChatLine[]>;
  readonly devices: ReadonlySignal<Devices>;
  readonly audioBlocked: ReadonlySignal<boolean>;
  /** Set once it is over: the error, or null after leaving. */
  readonly ended: ReadonlySignal<SalonError | null | undefined>;
}

export interface Devices {
  readonly camera: MediaStreamTrack | null;
  readonly microphoneOn: boolean;
}

export function viewRoom(room: Room): RoomView {
  const devices = (): Devices => ({ camera: room.media.camera, microphoneOn: room.media.microphoneOn });
  const view = {
    room,
    state: signal<RoomState>(room.state),
    title: signal(room.title),
    participants: signal(room.participants),
    tiles: signal(room.tiles),
    speaking: signal(room.speaking),
    chat: signal(room.chat),
    devices: signal(devices()),
    audioBlocked: signal(room.audioBlocked),
    ended: signal<SalonError | null | undefined>(undefined),
  };
  const showTiles = (): void => {
    view.tiles.value = room.tiles;
  };
  room.on("state", (state) => (view.state.value = state));
  room.on("participants", () =>
    batch(() => {
      view.title.value = room.title;
      view.participants.value = room.participants;
    }),
  );
  room.on("tiles", showTiles);
  room.on("speakers", () =>
    batch(() => {
      showTiles();
      view.speaking.value = room.speaking;
    }),
  );
  room.on("chat", () => (view.chat.value = room.chat));
  room.on("media", () => (view.devices.value = devices()));
  room.on("audioBlocked", (blocked) => (view.audioBlocked.value = blocked));
  room.on("ended", (error) => (view.ended.value = error));
  return view;
}
