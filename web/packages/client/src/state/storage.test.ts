import { beforeEach, expect, it } from "vitest";
import { chat, participant, ROOM_ID, snapshot } from "../testing/room_messages.js";
import { applyEvent, applySnapshot, EMPTY } from "./model.js";
import { forgetSession, loadSession, saveSession, type KeyValueStore, type StoredSession } from "./storage.js";

let store: KeyValueStore;
let entries: Map<string, string>;

beforeEach(() => {
  entries = new Map();
  store = {
    getItem: (key) => entries.get(key) ?? null,
    setItem: (key, value) => entries.set(key, value),
    removeItem: (key) => entries.delete(key),
  };
});

function session(): StoredSession {
  const applied = applyEvent(applySnapshot(EMPTY, snapshot(1, [participant("ada", 1)])), chat(2, "hello"), "ada");
  if (applied.outcome !== "applied") throw new Error("the event should apply");
  const rest = { participantId: "ada", token: "t", expiresAtMs: 1_000, name: "Ada", inviteSecret: "s" };
  return { ...rest, model: applied.model };
}

it("gives back what was saved", () => {
  saveSession(store, session());
  expect(loadSession(store, ROOM_ID, 999)).toEqual(session());
});

it("forgets with the token, and when told to", () => {
  saveSession(store, session());
  expect(loadSession(store, ROOM_ID, 1_000)).toBeNull();
  forgetSession(store, ROOM_ID);
  expect(entries.size).toBe(0);
});

it("ignores what it did not write", () => {
  for (const text of ["", "null", "{", "[]", '{"format":99}', '{"format":1}']) {
    entries.set(`salon.session.${ROOM_ID}`, text);
    expect(loadSession(store, ROOM_ID, 0)).toBeNull();
  }
});

it("does without a storage that is full", () => {
  store.setItem = () => {
    throw new DOMException("full", "QuotaExceededError");
  };
  expect(() => saveSession(store, session())).not.toThrow();
});
