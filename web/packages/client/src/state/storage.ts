/**
 * What survives a reload of the page: enough to come back as the same participant and to miss no event.
 *
 * Kept in the tab's session storage, one entry a room: a second tab is another participant.
 */
import type { Participant, RoomModel } from "./model.js";

/** Where entries are kept: `sessionStorage`, or a stand-in. */
export type KeyValueStore = Pick<Storage, "getItem" | "setItem" | "removeItem">;

export interface StoredSession {
  readonly participantId: string;
  readonly token: string;
  /** When the token stops working, in wall-clock milliseconds. */
  readonly expiresAtMs: number;
  readonly name: string;
  readonly inviteSecret: string;
  readonly model: RoomModel;
}

/** Entries of another format are ignored: the client joins anew. */
const FORMAT = 1;
const CHAT_STORED = 200;

interface Entry extends Omit<StoredSession, "model"> {
  readonly format: number;
  readonly model: Omit<RoomModel, "participants"> & { readonly participants: readonly Participant[] };
}

export function saveSession(store: KeyValueStore, session: StoredSession): void {
  const { model } = session;
  const entry: Entry = {
    ...session,
    format: FORMAT,
    model: { ...model, chat: model.chat.slice(-CHAT_STORED), participants: [...model.participants.values()] },
  };
  try {
    store.setItem(keyOf(model.roomId), JSON.stringify(entry));
  } catch {
    // Storage is full or forbidden: the room works, and a reload joins anew.
  }
}

/** The entry of a room while its token works. */
export function loadSession(store: KeyValueStore, roomId: string, nowMs: number): StoredSession | null {
  try {
    const entry = JSON.parse(store.getItem(keyOf(roomId)) ?? "null") as Entry | null;
    if (entry?.format !== FORMAT || entry.expiresAtMs <= nowMs) return null;
    const { format: _, model, ...rest } = entry;
    return { ...rest, model: { ...model, participants: new Map(model.participants.map((p) => [p.id, p])) } };
  } catch {
    return null;
  }
}

export function forgetSession(store: KeyValueStore, roomId: string): void {
  try {
    store.removeItem(keyOf(roomId));
  } catch {
    // Nothing was stored where storage is forbidden.
  }
}

function keyOf(roomId: string): string {
  return `salon.session.${roomId}`;
}
