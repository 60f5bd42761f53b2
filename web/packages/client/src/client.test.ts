import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SalonClient } from "./client.js";
import { RoomState } from "./gen/salon/rooms/v1/room_pb.js";
import { stubBrowser } from "./testing/fake_browser.js";
import { fakeService } from "./testing/fake_service.js";
import { ROOM_ID } from "./testing/room_messages.js";

const SECRET = "AAAAAAAAAAAAAAAAAAAAAA";
const LINK = `http://localhost:8080/r/${ROOM_ID}#${SECRET}`;

beforeEach(() => stubBrowser());
afterEach(() => vi.unstubAllGlobals());

function client(unary: Parameters<typeof fakeService>[1]): SalonClient {
  const transport = fakeService([], unary);
  return new SalonClient({ signaling: ["a"], transport: () => transport });
}

describe("createRoom", () => {
  it("gives the link, the operator's or this page's", async () => {
    const made = { room: { id: ROOM_ID }, inviteSecret: SECRET, hostSecret: "host" };
    const room = await client({ createRoom: () => made }).createRoom({ appToken: "t", title: "Coffee" });
    expect(room).toEqual({ roomId: ROOM_ID, secret: SECRET, hostSecret: "host", link: LINK });
    const elsewhere = client({ createRoom: () => ({ ...made, link: "https://salon.example/r/x#y" }) });
    expect((await elsewhere.createRoom({ appToken: "t" })).link).toBe("https://salon.example/r/x#y");
  });
});

describe("preview", () => {
  it("says what a link opens", async () => {
    const room = { title: "Coffee", state: RoomState.OPEN, settings: { capacity: 50 } };
    const found = await client({ previewRoom: () => ({ room, occupancy: 2 }) }).preview(LINK);
    expect(found).toEqual({ title: "Coffee", occupancy: 2, capacity: 50 });
  });

  it("says what is wrong with it", async () => {
    await expect(client({}).preview("http://localhost:8080/r/x")).rejects.toMatchObject({ code: "wrong-link" });
    const ended = client({ previewRoom: () => ({ room: { state: RoomState.ENDED } }) });
    await expect(ended.preview(LINK)).rejects.toMatchObject({ code: "room-ended" });
    const revoked = client({
      previewRoom: () => {
        throw new ConnectError("this link no longer works: ask for a new one", Code.PermissionDenied);
      },
    });
    await expect(revoked.preview(LINK)).rejects.toMatchObject({ code: "link-revoked" });
  });
});

it("does not join with a browser that lacks what a room needs", () => {
  vi.stubGlobal("RTCPeerConnection", undefined);
  expect(SalonClient.isSupported()).toBe(false);
  expect(() => client({}).join({ link: LINK, name: "Me" })).toThrow("cannot take part");
});
