import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { FakeAudio, FakeTrack, stubBrowser } from "../testing/fake_browser.js";
import { AudioOutput, type AudioMedia } from "./audio.js";

let output: AudioOutput;

beforeEach(() => {
  stubBrowser();
  output = new AudioOutput();
});
afterEach(() => vi.unstubAllGlobals());

function media(slots: number): AudioMedia {
  const tracks = Array.from({ length: slots }, () => new FakeTrack("audio").asTrack());
  return { audioTracks: () => tracks };
}

const heard = (): boolean[] => FakeAudio.made.map(({ srcObject, muted }) => srcObject !== null && !muted);
const playing = (): boolean[] => FakeAudio.made.map(({ srcObject, playing: on }) => srcObject !== null && on);

it("plays each slot, and only those of the newest session", () => {
  const [former, next] = [media(2), media(1)];
  output.use([former], former);
  output.use([next], next);
  expect([heard(), playing()]).toEqual([
    [false, false, true],
    [false, false, true],
  ]);
});

it("plays a session that takes over muted, and turns to it and back in one step", () => {
  const [former, next] = [media(1), media(1)];
  output.use([former], former);
  output.use([former, next], former);
  expect([heard(), playing()]).toEqual([
    [true, false],
    [true, true],
  ]);
  output.use([former, next], next);
  expect(heard()).toEqual([false, true]);
  output.use([former, next], former);
  expect(heard()).toEqual([true, false]);
  output.stop();
  expect(heard()).toEqual([false, false]);
});

it("says when the browser refuses, and when it no longer does", async () => {
  const said: boolean[] = [];
  output.on("blocked", (blocked) => said.push(blocked));
  FakeAudio.refusal = new DOMException("", "NotAllowedError");
  const only = media(1);
  output.use([only], only);
  await vi.waitFor(() => expect(said).toEqual([true]));
  FakeAudio.refusal = null;
  await output.start();
  expect([said, output.blocked]).toEqual([[true, false], false]);
});
