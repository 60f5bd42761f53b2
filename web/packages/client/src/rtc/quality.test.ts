import { createRouterTransport } from "@connectrpc/connect";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { GapCause, SignalingService, type ReportQualityRequest } from "../gen/salon/signaling/v1/signaling_pb.js";
import type { Tile } from "../state/tiles.js";
import { QualityReporter, REPORT_MS } from "./quality.js";
import { Signaling } from "./signaling.js";

const TRACK = { id: "track" } as MediaStreamTrack;
const ADA: Tile = {
  participantId: "ada",
  name: "Ada",
  kind: "camera",
  source: 7,
  active: true,
  muted: false,
  speaking: false,
  slot: 0,
  track: TRACK,
  covered: true,
};

let reports: ReportQualityRequest[];
let fails: boolean;
let tiles: Tile[];
let reporter: QualityReporter;
let packets: number;
let frames: number;

beforeEach(() => {
  vi.useFakeTimers();
  reports = [];
  fails = false;
  tiles = [ADA];
  packets = 0;
  frames = 0;
  const transport = createRouterTransport(({ service }) =>
    service(SignalingService, {
      reportQuality: (report) => {
        if (fails) throw new Error("away");
        reports.push(report);
        return {};
      },
    }),
  );
  reporter = new QualityReporter(new Signaling({ addresses: ["a"], transport: () => transport }), () => tiles);
});

afterEach(() => {
  vi.useRealTimers();
});

const SESSION = {};

/** Looks each 100 ms; with packets and a new frame each time, or without. */
async function look(ms: number, flows = true): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) {
    await vi.advanceTimersByTimeAsync(100);
    if (flows) {
      packets += 10;
      frames += 3;
    }
    const report = new Map<string, object>([
      ["T", { type: "transport", packetsReceived: packets }],
      ["V", { type: "inbound-rtp", kind: "video", framesDecoded: frames, trackIdentifier: "track" }],
      ["A", { type: "inbound-rtp", kind: "audio", packetsReceived: packets }],
    ]);
    reporter.handleStats(SESSION, report);
  }
  await vi.advanceTimersByTimeAsync(0);
}

it("tells the first picture soon, and then how it went each 30 s", async () => {
  reporter.handleWelcome();
  await look(300);
  reporter.handleConnected();
  expect(reports).toEqual([]);
  tiles = [{ ...ADA, covered: false }];
  reporter.handlePictures();
  await look(100);
  expect(reports[0]).toMatchObject({ connectedMs: 300, firstFrameMs: 300 });
  await look(REPORT_MS - 5_000);
  await look(5_000, false);
  expect(reports).toHaveLength(2);
  expect(reports[1]).toMatchObject({ connectedMs: 0, firstFrameMs: 0, watchedMs: 30_000, frozenMs: 5_000 });
});

it("does not say that a covered picture is watched", async () => {
  await look(REPORT_MS + 100);
  expect(reports[0]).toMatchObject({ watchedMs: 0, frozenMs: 0 });
});

it("tells what was missed, and why", async () => {
  reporter.handleConnected();
  await look(1_000);
  await look(1_000, false);
  reporter.handleInterruption("silence");
  await look(200, false);
  reporter.handleConnected();
  await look(4_000);
  await reporter.report();
  expect(reports.at(-1)?.gaps).toMatchObject([{ cause: GapCause.SILENCE, durationMs: 1_300 }]);
});

it("loses a report without harm", async () => {
  fails = true;
  await reporter.report();
  fails = false;
  await reporter.report();
  expect(reports).toHaveLength(1);
});
