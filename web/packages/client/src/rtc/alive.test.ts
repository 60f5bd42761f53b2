import { describe, expect, it } from "vitest";
import { CHECK_MS, packetsReceived, Silence } from "./alive.js";

describe("Silence", () => {
  it("is a second without a packet", () => {
    const silence = new Silence();
    const heard = [0, 3, ...Array<number>(11).fill(9)].map((packets, check) =>
      silence.observe(packets, check * CHECK_MS),
    );
    expect(heard).toEqual([...Array<boolean>(12).fill(false), true]);
  });

  it("does not blame the node for a device that slept", () => {
    const silence = new Silence();
    silence.observe(5, 0);
    expect(silence.observe(5, 60_000)).toBe(false);
    expect(silence.observe(5, 60_900)).toBe(false);
    expect(silence.observe(5, 61_100)).toBe(true);
  });
});

describe("packetsReceived", () => {
  const report = (...entries: object[]): RTCStatsReport => new Map(entries.map((e, id) => [String(id), e]));

  it("reads the transport's count, or the nominated pair's", () => {
    const pair = { type: "candidate-pair", nominated: true, packetsReceived: 7 };
    expect(packetsReceived(report({ type: "inbound-rtp", packetsReceived: 1 }, pair))).toBe(7);
    expect(packetsReceived(report(pair, { type: "transport", packetsReceived: 9 }))).toBe(9);
    expect(packetsReceived(report({ type: "inbound-rtp", packetsReceived: 1 }))).toBeNull();
  });
});
