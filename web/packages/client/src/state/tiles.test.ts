import { describe, expect, it } from "vitest";
import { SourceKind } from "../gen/salon/rooms/v1/room_pb.js";
import { participant, snapshot } from "../testing/room_messages.js";
import { applySnapshot, EMPTY } from "./model.js";
import { tilesOf, wantsOf, type Pictures } from "./tiles.js";

const NO_PICTURES: Pictures = { slotOf: () => null, trackOf: () => null, isCovered: () => true };

const MODEL = applySnapshot(
  EMPTY,
  snapshot(1, [
    participant("me", 1, [SourceKind.CAMERA]),
    participant("ada", 2, [SourceKind.CAMERA, SourceKind.MICROPHONE]),
    participant("bo", 3, [SourceKind.SCREEN]),
  ]),
);

describe("tilesOf", () => {
  it("shows the others, and screens that are shared", () => {
    const tiles = tilesOf(MODEL, "me", new Set([8]), NO_PICTURES);
    expect(tiles.map(({ participantId, kind, active }) => [participantId, kind, active])).toEqual([
      ["ada", "camera", true],
      ["bo", "camera", false],
      ["bo", "screen", true],
    ]);
    expect(tiles.map(({ speaking, muted }) => [speaking, muted])).toEqual([
      [true, false],
      [false, true],
      [false, true],
    ]);
  });
});

describe("wantsOf", () => {
  it("wants what is sent of what is visible, in whole pixels", () => {
    const requests = [
      { participantId: "bo", height: 200 },
      { participantId: "bo", kind: "screen", height: 719.6 },
      { participantId: "ada", height: 0 },
      { participantId: "nobody", height: 100 },
    ] as const;
    expect(wantsOf(MODEL, requests)).toEqual([
      { source: 14, height: 720 },
      { source: 9, height: 1 },
    ]);
  });
});
