import { afterEach, expect, it, vi } from "vitest";
import { FakeTrack, stubBrowser } from "../testing/fake_browser.js";
import { LocalMedia } from "./devices.js";

afterEach(() => vi.unstubAllGlobals());

const state = (media: LocalMedia): [boolean, boolean] => [media.microphoneOn, media.cameraOn];

it("starts both at once", async () => {
  const asked: MediaStreamConstraints[] = [];
  stubBrowser((constraints) => {
    asked.push(constraints);
    return null;
  });
  const media = new LocalMedia();
  expect(await media.startBoth()).toEqual([]);
  expect([state(media), asked.length]).toEqual([[true, true], 1]);
});

it("starts what can be had, and says what is in the way of the rest", async () => {
  stubBrowser(({ video }) => (video ? new DOMException("", "NotFoundError") : null));
  const media = new LocalMedia();
  expect((await media.startBoth()).map(({ code }) => code)).toEqual(["camera-missing"]);
  expect(state(media)).toEqual([true, false]);
});

it("says that permission was refused", async () => {
  stubBrowser(() => new DOMException("", "NotAllowedError"));
  const media = new LocalMedia();
  expect((await media.startBoth()).map(({ code }) => code)).toEqual(["camera-denied", "microphone-denied"]);
  await expect(media.setCamera(true)).rejects.toMatchObject({ code: "camera-denied" });
});

it("releases a camera that is off, and keeps a microphone that is off", async () => {
  stubBrowser();
  const media = new LocalMedia();
  await media.startBoth();
  const { camera, microphone } = media as unknown as { camera: FakeTrack; microphone: FakeTrack };
  await media.setCamera(false);
  await media.setMicrophone(false);
  expect([state(media), camera.stopped, microphone.stopped]).toEqual([[false, false], true, false]);
  await media.setMicrophone(true);
  expect(media.microphone).toBe(microphone.asTrack());
});

it("opens a device once, however fast it is switched", async () => {
  let opened = 0;
  stubBrowser(() => {
    opened += 1;
    return null;
  });
  const media = new LocalMedia();
  await Promise.all([media.setCamera(true), media.setCamera(true), media.setCamera(false), media.setCamera(true)]);
  expect([opened, media.cameraOn]).toEqual([2, true]);
});

it("says while devices are being switched, and that they are", async () => {
  stubBrowser();
  const media = new LocalMedia();
  const seen: boolean[] = [];
  media.on("change", () => seen.push(media.switching));
  const both = Promise.all([media.setCamera(true), media.setMicrophone(true)]);
  expect(media.switching).toBe(true);
  await both;
  expect(seen).toEqual([true, false]);
});

it("notices a device that is unplugged", async () => {
  stubBrowser();
  const media = new LocalMedia();
  await media.startBoth();
  const changed = vi.fn();
  media.on("change", changed);
  media.camera?.dispatchEvent(new Event("ended"));
  media.microphone?.dispatchEvent(new Event("ended"));
  expect([state(media), changed.mock.calls.length]).toEqual([[false, false], 2]);
});

it("releases everything", () => {
  stubBrowser();
  const media = new LocalMedia();
  const track = new FakeTrack("video");
  media.useTracks({ camera: track.asTrack() });
  media.stop();
  expect([state(media), track.stopped]).toEqual([[false, false], true]);
});
