import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { NodeMessageSchema } from "../gen/salon/media/v1/channel_pb.js";
import { FakeAudio, stubBrowser } from "../testing/fake_browser.js";
import { Peer, type ClientBody } from "./peer.js";
import { Reception } from "./reception.js";

let reception: Reception;

beforeEach(() => {
  stubBrowser();
  reception = new Reception(4);
});
afterEach(() => {
  reception.close();
  vi.unstubAllGlobals();
});

/** A session that notes what it is told to send. */
async function peerWith(sent: string[]): Promise<Peer> {
  const peer = await Peer.create({ microphone: null, camera: null }, 4);
  vi.spyOn(peer, "send").mockImplementation((body: ClientBody) => {
    sent.push(body.case === "epochSeen" ? `epoch ${String(body.value.epoch)}` : String(body.case));
    return true;
  });
  return peer;
}

function say(peer: Peer, body: NonNullable<MessageInitShape<typeof NodeMessageSchema>["body"]>): void {
  peer.emit("message", create(NodeMessageSchema, { body }));
}

it("tells every session the layout and the highest epoch", async () => {
  const first: string[] = [];
  const second: string[] = [];
  reception.use(await peerWith(first));
  reception.raiseEpoch(3);
  reception.raiseEpoch(2);
  reception.use(await peerWith(second));
  expect(first).toEqual(["layout", "epoch 3"]);
  expect(second).toEqual(["layout", "epoch 3"]);
});

it("plays the newest session and listens to it alone", async () => {
  const [old, current] = [await peerWith([]), await peerWith([])];
  reception.use(old);
  reception.use(current);
  expect(FakeAudio.made.filter(({ srcObject }) => srcObject !== null)).toHaveLength(4);
  say(old, { case: "speakers", value: { sources: [4], dominant: 4 } });
  expect(reception.dominant).toBe(0);
  say(current, { case: "speakers", value: { sources: [8, 12], dominant: 8 } });
  say(current, { case: "quality", value: { downlinkBps: 5n } });
  expect([[...reception.speaking], reception.dominant, reception.downlinkBps]).toEqual([[8, 12], 8, 5]);
});
