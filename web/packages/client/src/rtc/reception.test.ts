import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { NodeMessageSchema, SlotKind } from "../gen/salon/media/v1/channel_pb.js";
import { FakeAudio, stubBrowser } from "../testing/fake_browser.js";
import { at } from "../testing/fake_service.js";
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
    sent.push(String(body.case));
    return true;
  });
  return peer;
}

function say(peer: Peer, body: NonNullable<MessageInitShape<typeof NodeMessageSchema>["body"]>): void {
  peer.emit("message", create(NodeMessageSchema, { body }));
}

it("asks every session for the layout, and hears one of them", async () => {
  const sent: string[][] = [[], []];
  const [serving, next] = [await peerWith(at(sent, 0)), await peerWith(at(sent, 1))];
  reception.use({ serving, next: null, heard: serving });
  reception.use({ serving, next, heard: serving });
  expect([sent, reception.peers, reception.peer]).toEqual([[["layout"], ["layout"]], [serving, next], serving]);
  reception.use({ serving, next, heard: next });
  say(serving, { case: "speakers", value: { sources: [4], dominant: 4 } });
  expect(reception.dominant).toBe(0);
  say(next, { case: "speakers", value: { sources: [8, 12], dominant: 8 } });
  expect([[...reception.speaking], reception.dominant]).toEqual([[8, 12], 8]);
});

it("listens no more to a session that is over", async () => {
  const [old, current] = [await peerWith([]), await peerWith([])];
  reception.use({ serving: old, next: null, heard: old });
  reception.use({ serving: current, next: null, heard: current });
  expect(FakeAudio.made.filter(({ srcObject }) => srcObject !== null)).toHaveLength(4);
  reception.request([{ source: 9, height: 100 }]);
  say(old, { case: "slotMap", value: { slots: [{ kind: SlotKind.VIDEO, slot: 0, source: 9 }] } });
  old.emit("open", undefined);
  expect([reception.peers, reception.pictures.isCovered(9)]).toEqual([[current], true]);
});
