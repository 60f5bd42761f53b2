import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { at, fakeService, type ServedStream } from "../testing/fake_service.js";
import { chat, ROOM_ID, snapshot } from "../testing/room_messages.js";
import { FakeMedia } from "../testing/fake_media.js";
import { Session, type SessionEvents } from "./session.js";
import { Signaling } from "./signaling.js";

let streams: ServedStream[];
let medias: FakeMedia[];
let said: string[];
let session: Session<FakeMedia>;
let present: ReadonlySet<number>;
let position: { lastEvent: number; epoch: number };

function start(credentials: { inviteSecret?: string; sessionToken?: string } = {}): void {
  const transport = fakeService(streams);
  session = new Session<FakeMedia>({
    signaling: new Signaling({ addresses: ["a", "b"], transport: () => transport }),
    roomId: ROOM_ID,
    name: "Me",
    inviteSecret: credentials.inviteSecret ?? "secret",
    sessionToken: credentials.sessionToken ?? "",
    makeMedia: () => {
      const media = new FakeMedia(`offer ${String(medias.length + 1)}`);
      medias.push(media);
      return Promise.resolve(media);
    },
    position: () => position,
    present: () => present,
    random: () => 0.5,
  });
  const note = <Name extends keyof SessionEvents<FakeMedia>>(
    name: Name,
    text: (value: SessionEvents<FakeMedia>[Name]) => string,
  ): void => {
    session.on(name, (value) => said.push(`${name} ${text(value)}`.trim()));
  };
  note("event", (event) => String(event.number));
  note("snapshot", (value) => String(value.eventNumber));
  note("lineup", ({ serving, next, heard }) => [serving, next, heard].map((media) => media?.offer ?? "-").join("|"));
  note("status", String);
  note("waiting", () => "");
  note("ended", ({ code }) => code);
  void session.run();
}

const settle = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
/** Joined, and media connected. */
async function joined(): Promise<void> {
  start();
  await settle();
  at(streams, -1).welcome();
  await settle();
  at(medias, -1).connect();
  await settle();
  said = [];
}

beforeEach(() => {
  vi.useFakeTimers();
  streams = [];
  medias = [];
  said = [];
  position = { lastEvent: 0, epoch: 0 };
  present = new Set([4, 8]);
});
afterEach(() => {
  session.stop();
  vi.useRealTimers();
});

describe("joining", () => {
  it("is one request with an offer, and its answer", async () => {
    start();
    await settle();
    expect(at(streams, 0).request).toMatchObject({
      roomId: ROOM_ID,
      name: "Me",
      credential: { case: "inviteSecret", value: "secret" },
      offer: "offer 1",
    });
    at(streams, 0).welcome();
    at(streams, 0).send({ case: "event", value: chat(2, "hello") });
    await settle();
    expect(at(medias, 0).answer).toBe("answer");
    at(medias, 0).connect();
    expect(said).toEqual(["event 2", "lineup offer 1|-|offer 1", "status connected"]);
  });

  it("waits at the door", async () => {
    start();
    await settle();
    at(streams, 0).send({ case: "waiting", value: {} });
    await settle();
    expect(said).toEqual(["waiting"]);
  });

  it("repeats with the same request and offer, so that it is one join", async () => {
    start();
    await settle();
    at(streams, 0).end(new ConnectError("restarting", Code.Unavailable));
    await settle(1_000);
    expect(streams).toHaveLength(2);
    expect(at(streams, 1).request.requestId).toBe(at(streams, 0).request.requestId);
    expect(at(streams, 1).request.offer).toBe("offer 1");
  });

  it("ends when it is refused", async () => {
    start();
    await settle();
    at(streams, 0).end(new ConnectError("the room is full", Code.ResourceExhausted));
    await settle(10_000);
    expect(said).toEqual(["ended room-full"]);
    expect(streams).toHaveLength(1);
    expect(at(medias, 0).closed).toBe(true);
  });
});

describe("a lost stream", () => {
  it("is resumed while media goes on", async () => {
    await joined();
    const token = `token of ${at(streams, 0).request.requestId}`;
    position = { lastEvent: 12, epoch: 3 };
    at(streams, 0).end(new ConnectError("Failed to fetch", Code.Unknown));
    await settle(1_000);
    expect(at(streams, 1).request).toMatchObject({
      credential: { case: "sessionToken", value: token },
      lastEvent: 12n,
      epoch: 3n,
      offer: "",
    });
    at(streams, 1).welcome({ answer: "" });
    await settle();
    expect(said).toEqual(["status behind", "status connected"]);
    expect([medias.length, at(medias, 0).closed]).toEqual([1, false]);
  });

  it("is resumed at once when the network is back", async () => {
    await joined();
    session.hurry();
    await settle();
    expect(streams).toHaveLength(1);
    at(streams, 0).end();
    await settle();
    session.hurry();
    await settle();
    expect(streams).toHaveLength(2);
  });

  it("is resumed after an end without an error, and for missing events", async () => {
    await joined();
    at(streams, 0).end();
    await settle(1_000);
    expect(streams).toHaveLength(2);
    at(streams, 1).welcome({ answer: "" });
    await settle();
    session.renewStream();
    await settle();
    expect(streams).toHaveLength(3);
    expect(at(streams, 1).aborted).toBe(true);
  });

  it("comes in anew when the place is gone", async () => {
    await joined();
    at(streams, 0).end();
    await settle(1_000);
    at(streams, 1).end(new ConnectError("you are not in this room any more", Code.NotFound));
    await settle(1_000);
    expect(at(streams, 2).request).toMatchObject({
      credential: { case: "inviteSecret", value: "secret" },
      offer: "offer 2",
    });
    expect(at(streams, 2).request.requestId).not.toBe(at(streams, 0).request.requestId);
  });
});

describe("lost media", () => {
  it("is made anew at once, and takes over when it is connected", async () => {
    await joined();
    at(medias, 0).lose();
    await settle();
    expect(at(streams, 0).aborted).toBe(true);
    expect(at(streams, 1).request).toMatchObject({ offer: "offer 2", unheardEpoch: 1n });
    at(streams, 1).welcome({ answer: "answer 2" });
    await settle();
    expect(at(medias, 0).closed).toBe(false);
    at(medias, 1).connect();
    expect(at(medias, 0).closed).toBe(true);
    expect(said).toEqual(["status reconnecting", "lineup offer 2|-|offer 2", "status connected"]);
  });

  it("is tried again, later each time, when it does not connect", async () => {
    await joined();
    at(medias, 0).lose();
    await settle();
    at(streams, 1).welcome();
    await settle();
    at(medias, 1).lose();
    await settle(100);
    expect(streams).toHaveLength(2);
    await settle(1_000);
    expect(at(streams, 2).request.offer).toBe("offer 3");
    expect(at(medias, 1).closed).toBe(true);
  });

  it("is tried again after an answer that the browser refuses", async () => {
    start();
    await settle();
    at(streams, 0).welcome({ answer: "bad" });
    await settle(1_000);
    expect(at(streams, 1).request.offer).toBe("offer 2");
  });
});

describe("moved", () => {
  it("makes a new session and keeps the old one until everybody is there, and nobody is told", async () => {
    await joined();
    at(medias, 0).say(4, 8);
    at(medias, 0).downlinkBps = 900_000;
    at(streams, 0).send({ case: "moved", value: { epoch: 1n, makeBeforeBreak: true } });
    await settle();
    expect(streams).toHaveLength(1);
    at(streams, 0).send({ case: "moved", value: { epoch: 5n, makeBeforeBreak: true, spreadMs: 100 } });
    await settle(49);
    expect(streams).toHaveLength(1);
    await settle(1);
    expect(at(streams, 1).request).toMatchObject({ offer: "offer 2", unheardEpoch: 0n, downlinkBps: 900_000n });
    at(streams, 1).welcome({ epoch: 5n });
    await settle();
    at(medias, 1).connect();
    at(medias, 1).say(4, 8);
    expect(at(medias, 0).leftFor).toBe(0);
    await settle(500);
    expect(at(medias, 0).leftFor).toBe(5);
    expect(said).toEqual([
      "lineup offer 1|offer 2|offer 1",
      "lineup offer 1|offer 2|offer 2",
      "lineup offer 2|-|offer 2",
    ]);
  });

  it("turns at once when the last one who is missing leaves the room", async () => {
    await joined();
    at(medias, 0).say(4, 8);
    at(streams, 0).send({ case: "moved", value: { epoch: 5n, makeBeforeBreak: true } });
    await settle();
    at(streams, 1).welcome({ epoch: 5n });
    await settle();
    at(medias, 1).connect();
    at(medias, 1).say(8);
    expect(said.at(-1)).toBe("lineup offer 1|offer 2|offer 1");
    present = new Set([8]);
    at(streams, 1).send({ case: "event", value: chat(2, "stands for somebody who left") });
    await settle();
    expect(said.at(-1)).toBe("lineup offer 1|offer 2|offer 2");
  });
});

it("stops when another page takes over", async () => {
  await joined();
  at(streams, 0).send({ case: "takenOver", value: {} });
  await settle(10_000);
  expect(said).toEqual(["ended taken-over"]);
  expect([streams.length, at(medias, 0).closed]).toEqual([1, true]);
});

it("passes tokens, events and snapshots on in order", async () => {
  await joined();
  const token = vi.fn();
  session.on("token", token);
  at(streams, 0).send({ case: "event", value: chat(2, "a") });
  at(streams, 0).send({ case: "sessionToken", value: { token: "new", expiresAt: { seconds: 60n } } });
  at(streams, 0).send({ case: "snapshot", value: snapshot(9, []) });
  at(streams, 0).send({ case: "keepalive", value: {} });
  await settle();
  expect(said).toEqual(["event 2", "snapshot 9"]);
  expect(token.mock.calls).toEqual([[{ token: "new", expiresAtMs: 60_000 }]]);
});

it("resumes with a token from before", async () => {
  position = { lastEvent: 40, epoch: 2 };
  start({ sessionToken: "kept" });
  await settle();
  expect(at(streams, 0).request).toMatchObject({
    credential: { case: "sessionToken", value: "kept" },
    lastEvent: 40n,
    offer: "offer 1",
  });
});
