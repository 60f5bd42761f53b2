import { expect, it } from "vitest";
import { LARGEST_BPS, UplinkMeter } from "./uplink.js";

const report = (bytesSent: number, available?: number): RTCStatsReport =>
  new Map<string, object>([
    ["A", { type: "outbound-rtp", bytesSent }],
    ["B", { type: "outbound-rtp", bytesSent: 1_000 }],
    ["P", { type: "candidate-pair", ...(available === undefined ? {} : { availableOutgoingBitrate: available }) }],
  ]);

it("is unknown before something was sent", () => {
  const meter = new UplinkMeter();
  expect(meter.bps).toBe(0);
  meter.observe(report(0), 0);
  meter.observe(report(9_000), 100);
  expect(meter.bps).toBe(0);
});

it("is what was sent in the last second, or more when the browser thinks so", () => {
  const meter = new UplinkMeter();
  for (let at = 0; at <= 5_000; at += 100) meter.observe(report(at < 3_000 ? 0 : (at - 3_000) * 100), at);
  expect(meter.bps).toBe(800_000);
  meter.observe(report(210_000, 700_000), 5_100);
  expect(meter.bps).toBe(800_000);
  meter.observe(report(220_000, 2_000_000), 5_200);
  expect(meter.bps).toBe(2_000_000);
  meter.observe(report(230_000, 90_000_000), 5_300);
  expect(meter.bps).toBe(LARGEST_BPS);
});
