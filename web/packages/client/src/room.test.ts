import { create, fromBinary, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SalonClient } from "./client.js";
import { ClientMessageSchema, NodeMessageSchema } from "./gen/salon/media/v1/channel_pb.js";
import { LeaveReason, SourceKind } from "./gen/salon/rooms/v1/room_pb.js";
import type { SignalingService } from "./gen/salon/signaling/v1/signaling_pb.js";
import type { Room } from "./room.js";
import { LocalMedia } from "./rtc/devices.js";
import { FakeConnection, FakeTrack, stubBrowser } from "./testing/fake_browser.js";
import { at, fakeService, type ServedStream } from "./testing/fake_service.js";
import { chat, event, participant, ROOM_ID, snapshot } from "./testing/room_messages.js";

const LINK = { roomId: ROOM_ID, secret: "AAAAAAAAAAAAAAAAAAAAAA" };

let page: ReturnType<typeof stubBrowser>;
let streams: ServedStream[];
let unary: { [Name in "leave" | "sendChat" | "setSources"]: ReturnType<typeof vi.fn> };
let client: SalonClient;
let room: Room;
let said: string[];

const settle = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

function listen(to: Room): void {
  room = to;
  said = [];
  room.on("state", (state) => said.push(state));
  room.on("ended", (error) => said.push(`because ${error?.code ?? "left"}`));
}

/** In a room with Ada, who has her camera on, and connected. */
async function joined(media = new LocalMedia()): Promise<void> {
  listen(client.join({ link: LINK, name: "Me", media }));
  await settle();
  const people = [participant("me", 1), participant("ada", 2, [SourceKind.CAMERA])];
  at(streams, -1).welcome({ snapshot: snapshot(3, people), nodeId: "media-1" });
  await settle();
  at(FakeConnection.made, -1).become("connected");
  at(FakeConnection.made, -1).channel.open();
  await settle();
}

function sentByChannel(): string[] {
  return at(FakeConnection.made, -1).channel.sent.map((bytes) => {
    const { body } = fromBinary(ClientMessageSchema, bytes);
    if (body.case !== "layout") return String(body.case);
    return body.value.slots.map(({ slot, source, maxHeight }) => [slot, source, maxHeight].join(":")).join(" ");
  });
}

function nodeSays(body: NonNullable<MessageInitShape<typeof NodeMessageSchema>["body"]>): void {
  const bytes = toBinary(NodeMessageSchema, create(NodeMessageSchema, { body }));
  at(FakeConnection.made, -1).channel.onmessage?.({ data: bytes.slice().buffer });
}

beforeEach(() => {
  vi.useFakeTimers();
  page = stubBrowser();
  streams = [];
  unary = {
    leave: vi.fn(() => ({})),
    sendChat: vi.fn(() => ({ eventNumber: 4n })),
    setSources: vi.fn(() => ({})),
  };
  const transport = fakeService(streams, unary as Partial<ServiceImpl<typeof SignalingService>>);
  client = new SalonClient({ signaling: ["a", "b"], transport: () => transport, random: () => 0.5 });
});
afterEach(async () => {
  await room.leave();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("joining", () => {
  it("shows who is there", async () => {
    await joined();
    await expect(room.joined()).resolves.toBe(true);
    expect(said).toEqual(["connecting", "connected"]);
    expect([room.participantId, room.title, room.nodeId]).toEqual(["me", "Coffee", "media-1"]);
    expect(room.participants.map(({ name }) => name)).toEqual(["ME", "ADA"]);
    expect(room.tiles).toMatchObject([{ name: "ADA", kind: "camera", source: 9, active: true, covered: true }]);
  });

  it("says why it cannot", async () => {
    listen(client.join({ link: LINK, name: "Me" }));
    const refused = expect(room.joined()).rejects.toMatchObject({ code: "room-full" });
    await settle();
    at(streams, 0).end(new ConnectError("the room is full", Code.ResourceExhausted));
    await settle();
    await refused;
    expect(said).toEqual(["ended", "because room-full"]);
  });

  it("can be given up at the door", async () => {
    listen(client.join({ link: LINK, name: "Me" }));
    const joining = room.joined();
    await settle();
    at(streams, 0).send({ case: "waiting", value: {} });
    await settle();
    await room.leave();
    expect(await joining).toBe(false);
    expect(said).toEqual(["waiting", "ended", "because left"]);
    expect(unary.leave).not.toHaveBeenCalled();
  });
});

describe("events", () => {
  it("are applied in order and logged", async () => {
    await joined();
    at(streams, 0).send({ case: "event", value: chat(4, "hello") });
    at(streams, 0).send({ case: "event", value: chat(4, "hello") });
    at(streams, 0).send({ case: "event", value: chat(5, "again") });
    await settle();
    expect(room.chat.map(({ text }) => text)).toEqual(["hello", "again"]);
    expect(room.eventLog).toEqual([4, 5]);
  });

  it("that are missing are asked for", async () => {
    await joined();
    at(streams, 0).send({ case: "event", value: chat(6, "too early") });
    await settle();
    expect(at(streams, 1).request.lastEvent).toBe(3n);
  });

  it("end the stay", async () => {
    await joined();
    const value = { participantId: "me", reason: LeaveReason.REMOVED };
    at(streams, 0).send({ case: "event", value: event(4, { case: "participantLeft", value }) });
    await settle();
    expect(said.slice(-2)).toEqual(["ended", "because removed"]);
    expect(at(FakeConnection.made, 0).connectionState).toBe("closed");
    expect(page.entries.size).toBe(0);
  });

  it("that end the room end the stay", async () => {
    await joined();
    at(streams, 0).send({ case: "event", value: event(4, { case: "roomEnded", value: {} }) });
    await settle();
    expect(said.at(-1)).toBe("because room-ended");
  });
});

it("says nothing of a planned move", async () => {
  await joined();
  said = [];
  at(streams, 0).send({ case: "moved", value: { epoch: 2n, makeBeforeBreak: true } });
  await settle();
  at(streams, 1).welcome({ epoch: 2n, nodeId: "media-2" });
  await settle();
  at(FakeConnection.made, 1).become("connected");
  await settle(300);
  expect([said, room.state, room.nodeId]).toEqual([[], "connected", "media-2"]);
});

describe("pictures", () => {
  it("are asked of the node while they are visible and sent", async () => {
    await joined();
    room.requestTiles([{ participantId: "ada", height: 300 }]);
    await settle(250);
    expect(sentByChannel()).toEqual(["", "0:9:300"]);
    expect(room.tiles[0]?.slot).toBe(0);
    const off = event(4, { case: "participantChanged", value: { participant: participant("ada", 2) } });
    at(streams, 0).send({ case: "event", value: off });
    await settle(250);
    expect(sentByChannel().at(-1)).toBe("");
  });

  it("follow the slot map and the speakers", async () => {
    await joined();
    const heard = vi.fn();
    room.on("speakers", heard);
    nodeSays({ case: "speakers", value: { sources: [8], dominant: 8 } });
    nodeSays({ case: "quality", value: { downlinkBps: 900_000n } });
    nodeSays({ case: "slotMap", value: { slots: [] } });
    expect(heard).toHaveBeenCalledTimes(1);
    expect([room.tiles[0]?.speaking, room.dominantSpeaker, room.downlinkBps]).toEqual([true, "ada", 900_000]);
  });
});

describe("what is sent", () => {
  it("is told to the others when it is switched", async () => {
    const media = new LocalMedia();
    media.useTracks({ microphone: new FakeTrack("audio").asTrack() });
    await joined(media);
    expect(unary.setSources.mock.calls[0]?.[0]).toMatchObject({ active: [SourceKind.MICROPHONE] });
    const on = event(4, {
      case: "participantChanged",
      value: { participant: participant("me", 1, [SourceKind.MICROPHONE]) },
    });
    at(streams, 0).send({ case: "event", value: on });
    await settle();
    await room.setCamera(true);
    await settle();
    expect(unary.setSources.mock.calls.at(-1)?.[0]).toMatchObject({
      active: [SourceKind.MICROPHONE, SourceKind.CAMERA],
    });
    expect(at(FakeConnection.made, 0).transceivers[1]?.sender.track).toBe(media.camera);
  });

  it("is acknowledged chat", async () => {
    await joined();
    expect(await room.sendChat("hello")).toBe(4);
    expect(unary.sendChat.mock.calls[0]?.[0]).toMatchObject({ text: "hello" });
  });
});

describe("a reload", () => {
  it("comes back as the same participant, after the last event", async () => {
    await joined();
    at(streams, 0).send({ case: "event", value: chat(4, "hello") });
    await settle();
    page.pagehide();
    expect(client.canResume(ROOM_ID)).toBe(true);

    const again = client.resume(ROOM_ID);
    if (!again) throw new Error("there is something to go on with");
    listen(again);
    await settle();
    expect(at(streams, -1).request).toMatchObject({ credential: { case: "sessionToken" }, lastEvent: 4n });
    expect(room.chat.map(({ text }) => text)).toEqual(["hello"]);
    at(streams, -1).welcome();
    at(streams, -1).send({ case: "event", value: chat(5, "missed") });
    await settle();
    expect(room.chat.map(({ text }) => text)).toEqual(["hello", "missed"]);
    expect(room.eventLog).toEqual([4, 5]);
  });

  it("stays out after leaving", async () => {
    await joined();
    await room.leave();
    expect(unary.leave).toHaveBeenCalledTimes(1);
    expect(client.canResume(ROOM_ID)).toBe(false);
    expect(client.resume(ROOM_ID)).toBeNull();
  });

  it("can take back what another page took over", async () => {
    await joined();
    at(streams, 0).send({ case: "takenOver", value: {} });
    await settle();
    expect(said.at(-1)).toBe("because taken-over");
    expect(client.canResume(ROOM_ID)).toBe(true);
  });
});
