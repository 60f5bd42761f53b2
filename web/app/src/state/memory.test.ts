import { afterEach, expect, it, vi } from "vitest";
import {
  recallDevices,
  recallHostSecret,
  recallName,
  rememberDevices,
  rememberHostSecret,
  rememberName,
} from "./memory.js";

afterEach(() => vi.unstubAllGlobals());

function fakeStorage(): Pick<Storage, "getItem" | "setItem"> {
  const entries = new Map<string, string>();
  return { getItem: (key) => entries.get(key) ?? null, setItem: (key, value) => entries.set(key, value) };
}

it("remembers", () => {
  vi.stubGlobal("localStorage", fakeStorage());
  vi.stubGlobal("sessionStorage", fakeStorage());
  expect([recallName(), recallHostSecret("a"), recallDevices()]).toEqual([
    "",
    null,
    { camera: false, microphone: false },
  ]);
  rememberName("Ada");
  rememberHostSecret("a", "secret");
  rememberDevices({ camera: true, microphone: false });
  expect([recallName(), recallHostSecret("a"), recallDevices()]).toEqual([
    "Ada",
    "secret",
    { camera: true, microphone: false },
  ]);
});

it("does without storage", () => {
  rememberName("Ada");
  expect(recallName()).toBe("");
});
