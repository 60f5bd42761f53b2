/** Messages of a made-up room, for tests. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  EventSchema,
  ParticipantSchema,
  ParticipantState,
  Role,
  RoomState,
  SnapshotSchema,
  SourceKind,
  type Event,
  type Participant,
  type Snapshot,
} from "../gen/salon/rooms/v1/room_pb.js";

export const ROOM_ID = "local-abcdefghij234567abcd";

type EventBody = NonNullable<MessageInitShape<typeof EventSchema>["body"]>;

/** A participant whose source numbers follow from the ordinal, as in the service. */
export function participant(id: string, ordinal: number, active: readonly SourceKind[] = []): Participant {
  const kinds = [SourceKind.MICROPHONE, SourceKind.CAMERA, SourceKind.SCREEN, SourceKind.SCREEN_AUDIO];
  return create(ParticipantSchema, {
    id,
    name: id.toUpperCase(),
    role: Role.SPEAKER,
    state: ParticipantState.PRESENT,
    sources: kinds.map((kind) => ({ kind, number: 4 * ordinal + kind - 1, active: active.includes(kind) })),
  });
}

export function snapshot(eventNumber: number, participants: readonly Participant[], epoch = 1): Snapshot {
  return create(SnapshotSchema, {
    room: { id: ROOM_ID, title: "Coffee", state: RoomState.OPEN, settings: { capacity: 50 } },
    participants: [...participants],
    eventNumber: BigInt(eventNumber),
    epoch: BigInt(epoch),
  });
}

export function event(number: number, body: EventBody): Event {
  return create(EventSchema, { number: BigInt(number), body });
}

export function chat(number: number, text: string, participantId = "ada"): Event {
  return event(number, { case: "chat", value: { participantId, name: participantId.toUpperCase(), text } });
}
