import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { SessionKeeper } from "./keeper.js";
import { EMPTY } from "./state/model.js";
import type { KeyValueStore, StoredSession } from "./state/storage.js";

let written: string[];
let current: StoredSession | null;
let keeper: SessionKeeper;

beforeEach(() => {
  vi.useFakeTimers();
  written = [];
  const rest = { participantId: "me", name: "Me", inviteSecret: "s", expiresAtMs: 1, token: "t" };
  current = { ...rest, model: { ...EMPTY, roomId: "local-a" } };
  const store: KeyValueStore = {
    getItem: () => null,
    setItem: (key) => written.push(`set ${key}`),
    removeItem: (key) => written.push(`remove ${key}`),
  };
  keeper = new SessionKeeper(store, () => current);
});
afterEach(() => vi.useRealTimers());

it("writes once for many changes", () => {
  keeper.saveSoon();
  keeper.saveSoon();
  vi.advanceTimersByTime(1_000);
  expect(written).toEqual(["set salon.session.local-a"]);
});

it("writes at once when told to, and nothing later", () => {
  keeper.saveSoon();
  keeper.saveNow();
  vi.advanceTimersByTime(1_000);
  expect(written).toHaveLength(1);
});

it("writes nothing when there is nothing, and nothing after forgetting", () => {
  current = null;
  keeper.saveNow();
  keeper.saveSoon();
  keeper.forget("local-a");
  vi.advanceTimersByTime(1_000);
  expect(written).toEqual(["remove salon.session.local-a"]);
});
