import { expect, it, vi } from "vitest";
import { Emitter } from "./emitter.js";

it("calls listeners of the event until they are taken off", () => {
  const emitter = new Emitter<{ number: number; other: undefined }>();
  const listener = vi.fn();
  const off = emitter.on("number", listener);
  emitter.emit("number", 1);
  emitter.emit("other", undefined);
  off();
  emitter.emit("number", 2);
  expect(listener.mock.calls).toEqual([[1]]);
});
