import { createRouterTransport } from "@connectrpc/connect";
import { beforeEach, expect, it } from "vitest";
import { SourceKind } from "../gen/salon/rooms/v1/room_pb.js";
import { SignalingService } from "../gen/salon/signaling/v1/signaling_pb.js";
import { applySnapshot, EMPTY, type Participant } from "../state/model.js";
import { participant, snapshot } from "../testing/room_messages.js";
import { SourceReporter } from "./reporter.js";
import { Signaling } from "./signaling.js";

let told: SourceKind[][];
let switches: { microphoneOn: boolean; cameraOn: boolean; switching: boolean };
let whileTelling: () => void;
let reporter: SourceReporter;

beforeEach(() => {
  told = [];
  switches = { microphoneOn: false, cameraOn: false, switching: false };
  whileTelling = () => undefined;
  const transport = createRouterTransport(({ service }) =>
    service(SignalingService, {
      setSources: ({ active }) => {
        told.push(active);
        whileTelling();
        return {};
      },
    }),
  );
  reporter = new SourceReporter(new Signaling({ addresses: ["a"], transport: () => transport }), switches);
});

function own(...active: SourceKind[]): Participant | undefined {
  return applySnapshot(EMPTY, snapshot(1, [participant("me", 1, active)])).participants.get("me");
}

it("tells what differs from what the room knows", async () => {
  await reporter.compare(undefined);
  await reporter.compare(own());
  switches.cameraOn = true;
  await reporter.compare(own());
  await reporter.compare(own(SourceKind.CAMERA));
  await reporter.compare(own(SourceKind.CAMERA, SourceKind.MICROPHONE));
  expect(told).toEqual([[SourceKind.CAMERA], [SourceKind.CAMERA]]);
});

it("tells nothing while devices are still being switched", async () => {
  switches.switching = true;
  await reporter.compare(own(SourceKind.CAMERA));
  expect(told).toEqual([]);
});

it("tells again what was switched meanwhile", async () => {
  switches.cameraOn = true;
  whileTelling = () => {
    switches.microphoneOn = true;
  };
  await reporter.compare(own());
  expect(told).toEqual([[SourceKind.CAMERA], [SourceKind.MICROPHONE, SourceKind.CAMERA]]);
});
