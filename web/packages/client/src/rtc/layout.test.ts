import { create } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SlotKind, SlotMapSchema, type SlotMap } from "../gen/salon/media/v1/channel_pb.js";
import { VideoLayout, type LayoutMedia } from "./layout.js";

class FakeVideo {
  style = { opacity: "" };
  srcObject: unknown = null;
  readonly #callbacks = new Map<number, VideoFrameRequestCallback>();
  #next = 1;

  play(): Promise<void> {
    return Promise.resolve();
  }

  requestVideoFrameCallback(callback: VideoFrameRequestCallback): number {
    this.#callbacks.set(this.#next, callback);
    return this.#next++;
  }

  cancelVideoFrameCallback(handle: number): void {
    this.#callbacks.delete(handle);
  }

  present(rtpTimestamp?: number): void {
    const callbacks = [...this.#callbacks.values()];
    this.#callbacks.clear();
    for (const callback of callbacks) callback(0, { rtpTimestamp } as VideoFrameCallbackMetadata);
  }
}

class FakeMedia implements LayoutMedia {
  sent: string[] = [];
  open = true;
  playedTimestamp = 0;

  send(body: Parameters<LayoutMedia["send"]>[0]): boolean {
    if (!this.open || body.case !== "layout") return false;
    this.sent.push((body.value.slots ?? []).map(({ slot, source }) => `${String(slot)}:${String(source)}`).join(" "));
    return true;
  }

  videoReceiver(slot: number): ReturnType<LayoutMedia["videoReceiver"]> {
    return {
      track: `track ${String(slot)}` as unknown as MediaStreamTrack,
      getSynchronizationSources: () => [{ rtpTimestamp: this.playedTimestamp, source: 1, timestamp: 0 }],
    };
  }
}

function map(slot: number, source: number, firstTimestamp = 0): SlotMap {
  return create(SlotMapSchema, { slots: [{ kind: SlotKind.VIDEO, slot, source, firstTimestamp }] });
}

let layout: VideoLayout;
let media: FakeMedia;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal(
    "MediaStream",
    class {
      constructor(readonly tracks: unknown[]) {}
    },
  );
  layout = new VideoLayout(2);
  media = new FakeMedia();
});
afterEach(() => {
  layout.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function attach(source: number): { video: FakeVideo; detach: () => void } {
  const video = new FakeVideo();
  return { video, detach: layout.attach(source, video as unknown as HTMLVideoElement) };
}

describe("asking", () => {
  it("sends the newest layout at most four times a second", () => {
    layout.useMedia(media);
    layout.request([{ source: 5, height: 100 }]);
    layout.request([{ source: 9, height: 100 }]);
    layout.request([{ source: 13, height: 100 }]);
    expect(media.sent).toEqual([""]);
    vi.advanceTimersByTime(250);
    expect(media.sent).toEqual(["", "0:13"]);
    vi.advanceTimersByTime(1_000);
    expect(media.sent).toHaveLength(2);
  });

  it("asks again when the channel opens, and of every new session", () => {
    media.open = false;
    layout.request([{ source: 5, height: 100 }]);
    layout.useMedia(media);
    media.open = true;
    layout.handleOpen(media);
    expect(media.sent).toEqual(["0:5"]);
    const next = new FakeMedia();
    layout.useMedia(next);
    layout.handleOpen(media);
    expect(next.sent).toEqual(["0:5"]);
    expect(media.sent).toHaveLength(1);
  });
});

describe("showing", () => {
  beforeEach(() => {
    layout.useMedia(media);
    layout.request([{ source: 5, height: 100 }]);
  });

  it("covers until a frame of the source is presented", () => {
    const { video } = attach(5);
    expect(video.srcObject).toMatchObject({ tracks: ["track 0"] });
    video.present(50);
    layout.handleSlotMap(map(0, 5, 100));
    video.present(99);
    expect([video.style.opacity, layout.isCovered(5)]).toEqual(["0", true]);
    video.present(100);
    expect([video.style.opacity, layout.isCovered(5)]).toEqual(["1", false]);
  });

  it("reads the timestamp of the receiver where frames do not carry it", () => {
    const { video } = attach(5);
    layout.handleSlotMap(map(0, 5, 100));
    media.playedTimestamp = 101;
    video.present();
    expect(video.style.opacity).toBe("1");
  });

  it("covers at once what is no longer asked for, before the node is told", () => {
    const { video } = attach(5);
    layout.handleSlotMap(map(0, 5));
    video.present(1);
    const sentBefore = media.sent.length;
    layout.request([{ source: 9, height: 100 }]);
    expect([video.style.opacity, video.srcObject]).toEqual(["0", null]);
    expect(media.sent).toHaveLength(sentBefore);
  });

  it("covers while a new session has shown nothing, and shows its track", () => {
    const { video } = attach(5);
    layout.handleSlotMap(map(0, 5));
    video.present(1);
    layout.useMedia(new FakeMedia());
    expect(video.style.opacity).toBe("0");
  });

  it("lets go of an element", () => {
    const { video, detach } = attach(5);
    const { video: second } = attach(5);
    detach();
    expect([video.srcObject, second.srcObject]).toMatchObject([null, { tracks: ["track 0"] }]);
  });

  it("tells tracks and slots", () => {
    expect([layout.slotOf(5), layout.trackOf(5), layout.slotOf(9), layout.trackOf(9)]).toEqual([
      0,
      "track 0",
      null,
      null,
    ]);
  });
});
