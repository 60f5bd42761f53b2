import { create, fromBinary, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ClientMessageSchema, NodeMessageSchema } from "../gen/salon/media/v1/channel_pb.js";
import { FakeConnection, FakeTrack, stubBrowser } from "../testing/fake_browser.js";
import { Peer } from "./peer.js";

let peer: Peer;
let connection: FakeConnection;
let said: string[];

beforeEach(async () => {
  vi.useFakeTimers();
  stubBrowser();
  peer = await Peer.create({ microphone: null, camera: null }, 4);
  const [made] = FakeConnection.made;
  if (!made) throw new Error("a peer makes a connection");
  connection = made;
  said = [];
  for (const event of ["connected", "open", "lost"] as const) peer.on(event, () => said.push(event));
  peer.on("message", ({ body }) => said.push(String(body.case)));
});
afterEach(() => {
  peer.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the connection", () => {
  it("goes by the relays that it is told of, in one bundle", async () => {
    const iceServers = [{ urls: "turns:turn.example.org", username: "u", credential: "c" }];
    const relayed = await Peer.create({ microphone: null, camera: null }, 4, { iceServers });
    expect(FakeConnection.made.at(-1)?.configuration).toEqual({ iceServers, bundlePolicy: "max-bundle" });
    relayed.close();
  });

  it("offers, takes an answer, and connects", async () => {
    expect(peer.offer).toBe("offer 1");
    await peer.accept("answer", 3);
    connection.become("connected");
    expect([connection.answer, peer.connected, peer.epoch, said]).toEqual(["answer", true, 3, ["connected"]]);
  });

  it("is lost when it never connects, or fails, once", async () => {
    await peer.accept("answer", 3);
    await vi.advanceTimersByTimeAsync(6_000);
    connection.become("failed");
    expect([peer.connected, said]).toEqual([false, ["lost"]]);
  });

  it("is lost after a second of silence", async () => {
    await peer.accept("answer", 3);
    connection.become("connected");
    for (let check = 0; check < 30; check++) {
      connection.packets += 1;
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(said).toEqual(["connected"]);
    await vi.advanceTimersByTimeAsync(1_100);
    expect(said).toEqual(["connected", "lost"]);
  });

  it("says nothing once closed", async () => {
    await peer.accept("answer", 3);
    connection.become("connected");
    peer.close();
    await vi.advanceTimersByTimeAsync(10_000);
    expect([connection.connectionState, said]).toEqual(["closed", ["connected"]]);
  });

  it("tells the node who serves us when it leaves, and lets that get through", async () => {
    await peer.accept("answer", 3);
    connection.become("connected");
    connection.channel.open();
    peer.leave(4);
    const { body } = fromBinary(ClientMessageSchema, connection.channel.sent[0] ?? new Uint8Array());
    expect(body).toMatchObject({ case: "epochSeen", value: { epoch: 4n } });
    expect([peer.connected, connection.connectionState]).toEqual([false, "connected"]);
    await vi.advanceTimersByTimeAsync(200);
    expect(connection.connectionState).toBe("closed");
    expect(said).toEqual(["connected", "open"]);
  });

  it("is closed at once when the node cannot be told", () => {
    peer.leave(4);
    expect(connection.connectionState).toBe("closed");
  });
});

describe("the channel", () => {
  it("sends when it is open", () => {
    expect(peer.send({ case: "epochSeen", value: { epoch: 3n } })).toBe(false);
    connection.channel.open();
    expect(peer.send({ case: "epochSeen", value: { epoch: 3n } })).toBe(true);
    const message = fromBinary(ClientMessageSchema, connection.channel.sent[0] ?? new Uint8Array());
    expect(message.body).toMatchObject({ case: "epochSeen", value: { epoch: 3n } });
  });

  it("reads messages and drops what is none", () => {
    const bytes = toBinary(NodeMessageSchema, create(NodeMessageSchema, { body: { case: "speakers", value: {} } }));
    for (const data of ["text", new Uint8Array([255, 255]).buffer, new ArrayBuffer(20_000), bytes.slice().buffer]) {
      connection.channel.onmessage?.({ data });
    }
    expect(said).toEqual(["speakers"]);
  });
});

it("keeps what the node says of the connection", () => {
  const say = (body: NonNullable<MessageInitShape<typeof NodeMessageSchema>["body"]>): void => {
    const data = toBinary(NodeMessageSchema, create(NodeMessageSchema, { body })).slice().buffer;
    connection.channel.onmessage?.({ data });
  };
  peer.on("roster", () => said.push([...(peer.roster ?? [])].join()));
  expect([peer.roster, peer.downlinkBps, peer.uplinkBps]).toEqual([null, 0, 0]);
  say({ case: "quality", value: { downlinkBps: 5n } });
  say({ case: "roster", value: { microphones: [4, 8] } });
  expect([peer.downlinkBps, said]).toEqual([5, ["quality", "4,8", "roster"]]);
});

describe("what is sent", () => {
  const active = (): (string | undefined)[] =>
    connection.transceivers[1]?.sender.encodings.flatMap(({ rid, active: on }) => (on ? [rid] : [])) ?? [];

  it("fits the layers to a camera that comes later", async () => {
    expect(active()).toEqual(["l", "m", "h"]);
    await peer.replaceTrack("camera", new FakeTrack("video", 320).asTrack());
    expect(active()).toEqual(["l"]);
    await peer.replaceTrack("camera", null);
    await peer.replaceTrack("camera", new FakeTrack("video", 1280).asTrack());
    expect(active()).toEqual(["l", "m", "h"]);
  });
});

it("knows its slots", () => {
  expect(peer.audioTracks()).toHaveLength(4);
  expect(peer.videoReceiver(3)).not.toBeNull();
  expect(peer.videoReceiver(4)).toBeNull();
});
