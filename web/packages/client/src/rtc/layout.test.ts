import { create } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SlotKind, SlotMapSchema, type SlotMap } from "../gen/salon/media/v1/channel_pb.js";
import type { LayoutMedia } from "./feed.js";
import { STILL_MS, VideoLayout } from "./layout.js";

class FakeVideo {
  readonly style: Partial<Record<string, string>> & { opacity: string } = { opacity: "" };
  srcObject: { readonly tracks: readonly unknown[] } | null = null;
  readonly offsetLeft = 10;
  readonly offsetTop = 20;
  readonly offsetWidth = 300;
  readonly offsetHeight = 200;
  /** What lies over it. */
  over: FakeVideo[] = [];
  #under: FakeVideo | null = null;
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

  cloneNode(): FakeVideo {
    return new FakeVideo();
  }

  removeAttribute(): void {
    return;
  }

  after(over: FakeVideo): void {
    over.#under = this;
    this.over.push(over);
  }

  remove(): void {
    const under = this.#under;
    if (under) under.over = under.over.filter((each) => each !== this);
  }

  /** The track that is seen: of what lies over it, or its own; null when it is covered. */
  get seen(): unknown {
    const [over] = this.over;
    const top = over && over.style.opacity !== "0" ? over : this;
    return top.style.opacity === "0" ? null : (top.srcObject?.tracks[0] ?? null);
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

  constructor(readonly name = "") {}

  send(body: Parameters<LayoutMedia["send"]>[0]): boolean {
    if (!this.open || body.case !== "layout") return false;
    this.sent.push((body.value.slots ?? []).map(({ slot, source }) => `${String(slot)}:${String(source)}`).join(" "));
    return true;
  }

  videoReceiver(slot: number): ReturnType<LayoutMedia["videoReceiver"]> {
    return {
      track: `${this.name}track ${String(slot)}` as unknown as MediaStreamTrack,
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
    layout.use(media);
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
    layout.use(media);
    media.open = true;
    layout.handleOpen(media);
    expect(media.sent).toEqual(["0:5"]);
    const next = new FakeMedia();
    layout.use(next);
    layout.handleOpen(media);
    expect(next.sent).toEqual(["0:5"]);
    expect(media.sent).toHaveLength(1);
  });
});

describe("showing", () => {
  beforeEach(() => {
    layout.use(media);
    layout.request([{ source: 5, height: 100 }]);
  });

  it("covers until a frame of the source is presented", () => {
    const { video } = attach(5);
    expect(video.srcObject).toMatchObject({ tracks: ["track 0"] });
    video.present(50);
    layout.handleSlotMap(media, map(0, 5, 100));
    video.present(99);
    expect([video.style.opacity, layout.isCovered(5)]).toEqual(["0", true]);
    video.present(100);
    expect([video.style.opacity, layout.isCovered(5)]).toEqual(["1", false]);
  });

  it("reads the timestamp of the receiver where frames do not carry it", () => {
    const { video } = attach(5);
    layout.handleSlotMap(media, map(0, 5, 100));
    media.playedTimestamp = 101;
    video.present();
    expect(video.style.opacity).toBe("1");
  });

  it("covers at once what is no longer asked for, before the node is told", () => {
    const { video } = attach(5);
    layout.handleSlotMap(media, map(0, 5));
    video.present(1);
    const sentBefore = media.sent.length;
    layout.request([{ source: 9, height: 100 }]);
    expect([video.style.opacity, video.srcObject]).toEqual(["0", null]);
    expect(media.sent).toHaveLength(sentBefore);
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

describe("a change of session", () => {
  const next = (): FakeMedia => new FakeMedia("next ");
  /** Shown by the first session, beside which another is used. */
  function changing(): { video: FakeVideo; to: FakeMedia } {
    layout.use(media);
    layout.request([{ source: 5, height: 100 }]);
    const { video } = attach(5);
    layout.handleSlotMap(media, map(0, 5));
    video.present(1);
    const to = next();
    layout.use(media, to);
    return { video, to };
  }
  const overlay = (video: FakeVideo): FakeVideo => {
    const [over] = video.over;
    if (!over) throw new Error("nothing lies over it");
    return over;
  };

  it("asks both sessions, and lays the new picture over the old, exactly", () => {
    const { video, to } = changing();
    expect(to.sent).toEqual(["0:5"]);
    expect(overlay(video)).toMatchObject({
      srcObject: { tracks: ["next track 0"] },
      style: { position: "absolute", left: "10px", top: "20px", width: "300px", height: "200px", opacity: "0" },
    });
    expect(video.seen).toBe("track 0");
  });

  it("is seen at the first frame of the new session that is surely the source's, and never uncovered or black", () => {
    const { video, to } = changing();
    const over = overlay(video);
    over.present(50);
    layout.handleSlotMap(to, map(0, 5, 100));
    over.present(99);
    expect([video.seen, layout.trackOf(5)]).toEqual(["track 0", "track 0"]);
    over.present(100);
    expect([video.seen, video.srcObject?.tracks, layout.trackOf(5)]).toEqual([
      "next track 0",
      ["next track 0"],
      "next track 0",
    ]);
    video.present(100);
    expect([video.over, video.style.opacity, video.seen]).toEqual([[], "1", "next track 0"]);
    layout.use(to);
    expect([video.seen, video.over]).toEqual(["next track 0", []]);
  });

  it("keeps the last frame of a session that is over until the next one shows, for a while", () => {
    const { video, to } = changing();
    layout.use(to);
    expect([video.seen, layout.isCovered(5)]).toEqual(["track 0", false]);
    vi.advanceTimersByTime(STILL_MS - 1);
    expect(video.seen).toBe("track 0");
    vi.advanceTimersByTime(1);
    expect([video.seen, layout.isCovered(5), video.over]).toEqual([null, true, []]);
    layout.handleSlotMap(to, map(0, 5));
    video.present(1);
    expect(video.seen).toBe("next track 0");
  });

  it("covers at once what is not wanted any more, or is somebody else's", () => {
    const { video, to } = changing();
    layout.handleSlotMap(to, map(0, 5));
    overlay(video).present(1);
    layout.handleSlotMap(to, map(0, 9));
    expect([video.seen, video.over]).toEqual([null, []]);
    const { video: other } = changing();
    layout.request([]);
    expect([other.seen, other.over, other.srcObject]).toEqual([null, [], null]);
  });

  it("goes back when the next session fails, whether or not it was seen", () => {
    const { video } = changing();
    layout.use(media);
    expect([video.seen, video.over]).toEqual(["track 0", []]);
    const { video: second, to } = changing();
    layout.handleSlotMap(to, map(0, 5));
    overlay(second).present(1);
    layout.use(media);
    expect(second.seen).toBe("next track 0");
    overlay(second).present(2);
    second.present(2);
    expect([second.seen, second.over]).toEqual(["track 0", []]);
  });

  it("shows at once what was covered before", () => {
    layout.use(media);
    layout.request([{ source: 5, height: 100 }]);
    const { video } = attach(5);
    const to = next();
    layout.use(media, to);
    layout.handleSlotMap(to, map(0, 5));
    expect(video.over).toEqual([]);
    video.present(1);
    expect(video.seen).toBe("next track 0");
  });
});
