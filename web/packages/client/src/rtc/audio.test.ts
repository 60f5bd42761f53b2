import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { FakeAudio, FakeTrack, stubBrowser } from "../testing/fake_browser.js";
import { AudioOutput } from "./audio.js";

beforeEach(() => stubBrowser());
afterEach(() => vi.unstubAllGlobals());

it("plays each slot, and only those of the newest session", () => {
  const output = new AudioOutput();
  output.play([new FakeTrack("audio").asTrack(), new FakeTrack("audio").asTrack()]);
  output.play([new FakeTrack("audio").asTrack()]);
  expect(FakeAudio.made.map(({ srcObject }) => srcObject !== null)).toEqual([false, false, true]);
});

it("says when the browser refuses, and when it no longer does", async () => {
  const output = new AudioOutput();
  const said: boolean[] = [];
  output.on("blocked", (blocked) => said.push(blocked));
  FakeAudio.refusal = new DOMException("", "NotAllowedError");
  output.play([new FakeTrack("audio").asTrack()]);
  await vi.waitFor(() => expect(said).toEqual([true]));
  FakeAudio.refusal = null;
  await output.start();
  expect([said, output.blocked]).toEqual([[true, false], false]);
});
