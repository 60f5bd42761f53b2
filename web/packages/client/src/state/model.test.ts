import { describe, expect, it } from "vitest";
import { LeaveReason, SourceKind, type Event } from "../gen/salon/rooms/v1/room_pb.js";
import { chat, event, participant, snapshot } from "../testing/room_messages.js";
import {
  applyEvent,
  applySnapshot,
  CHAT_KEPT,
  EMPTY,
  expandLog,
  ownerOf,
  raiseEpoch,
  type RoomModel,
} from "./model.js";

const START = applySnapshot(EMPTY, snapshot(3, [participant("ada", 1)]));

function apply(model: RoomModel, ...events: Event[]): RoomModel {
  return events.reduce((before, next) => {
    const applied = applyEvent(before, next, "me");
    return applied.outcome === "applied" ? applied.model : before;
  }, model);
}

describe("order", () => {
  it("takes the next event alone", () => {
    expect(applyEvent(START, chat(3, "again"), "me").outcome).toBe("duplicate");
    expect(applyEvent(START, chat(5, "too early"), "me").outcome).toBe("gap");
    expect(applyEvent(START, chat(4, "next"), "me").outcome).toBe("applied");
  });

  it("logs each number once, from the snapshot on", () => {
    const model = apply(START, chat(4, "a"), chat(4, "a"), chat(6, "c"), chat(5, "b"));
    expect(expandLog(model.log)).toEqual([4, 5]);
    expect(model.lastEvent).toBe(5);
  });

  it("begins a new run after a snapshot that skips, and goes on with the run otherwise", () => {
    const before = apply(START, chat(4, "a"));
    expect(apply(applySnapshot(before, snapshot(4, [])), chat(5, "b")).log).toEqual([[4, 5]]);
    const skipped = apply(applySnapshot(before, snapshot(40, [])), chat(41, "b"));
    expect(skipped.log).toEqual([
      [4, 4],
      [41, 41],
    ]);
  });

  it("counts an event that it does not know", () => {
    expect(apply(START, event(4, { case: undefined })).lastEvent).toBe(4);
  });
});

describe("participants", () => {
  it("come, change and go", () => {
    const joined = apply(START, event(4, { case: "participantJoined", value: { participant: participant("bo", 2) } }));
    expect([...joined.participants.keys()]).toEqual(["ada", "bo"]);
    const talking = participant("bo", 2, [SourceKind.MICROPHONE]);
    const changed = apply(joined, event(5, { case: "participantChanged", value: { participant: talking } }));
    expect(ownerOf(changed, 8)?.source).toEqual({ kind: "microphone", number: 8, active: true });
    const gone = apply(changed, event(6, { case: "participantLeft", value: { participantId: "bo" } }));
    expect([...gone.participants.keys()]).toEqual(["ada"]);
    expect(ownerOf(gone, 8)).toBeNull();
    expect(joined.participants.size).toBe(2);
  });

  it.each([
    [LeaveReason.REMOVED, "removed"],
    [LeaveReason.LOST, "lost"],
    [LeaveReason.ENDED, "ended"],
    [LeaveReason.LEFT, "left"],
  ])("tells why oneself is out: %s", (reason, expected) => {
    const model = apply(START, event(4, { case: "participantLeft", value: { participantId: "me", reason } }));
    expect(model.ownExit).toBe(expected);
  });
});

describe("chat", () => {
  it("keeps the order, and the newest", () => {
    let model = START;
    for (let number = 4; number < 4 + CHAT_KEPT + 10; number++) model = apply(model, chat(number, String(number)));
    expect(model.chat).toHaveLength(CHAT_KEPT);
    expect(model.chat.at(-1)?.number).toBe(model.lastEvent);
    expect(model.chat[0]?.number).toBe(14);
  });

  it("survives a snapshot", () => {
    const model = applySnapshot(apply(START, chat(4, "hello")), snapshot(9, []));
    expect(model.chat.map(({ text }) => text)).toEqual(["hello"]);
  });
});

it("ends with the room", () => {
  const model = apply(START, event(4, { case: "roomEnded", value: {} }));
  expect([model.ended, model.ownExit]).toEqual([true, "ended"]);
});

it("takes a new title", () => {
  const changed = event(4, { case: "roomChanged", value: { room: { id: "x", title: "Tea" } } });
  expect(apply(START, changed).title).toBe("Tea");
});

it("never lowers the epoch", () => {
  const moved = apply(START, event(4, { case: "placementChanged", value: { epoch: 7n } }));
  expect(moved.epoch).toBe(7);
  expect(raiseEpoch(moved, 5)).toBe(moved);
  expect(applySnapshot(moved, snapshot(9, [], 2)).epoch).toBe(7);
});
