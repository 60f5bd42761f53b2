"""Events and snapshots of a room, made short for tests."""

from salon.rooms.v1 import room_pb2
from salon_common.ids import ParticipantId
from salon_signaling.core.claim import StreamClaim

ME = ParticipantId("aaaaaaaaaaaaaaaa")
OTHER = ParticipantId("bbbbbbbbbbbbbbbb")


def chat(number: int) -> room_pb2.Event:
    return room_pb2.Event(
        number=number, chat=room_pb2.ChatMessage(participant_id=OTHER, text=f"message {number}")
    )


def left(number: int, participant: str) -> room_pb2.Event:
    return room_pb2.Event(
        number=number, participant_left=room_pb2.ParticipantLeft(participant_id=participant)
    )


def changed(number: int, participant: str, role: "room_pb2.Role.ValueType") -> room_pb2.Event:
    person = room_pb2.Participant(id=participant, role=role)
    return room_pb2.Event(number=number, participant_changed=room_pb2.ParticipantChanged(participant=person))


def moved(number: int, participant: str, epoch: int) -> room_pb2.Event:
    return room_pb2.Event(
        number=number, participant_moved=room_pb2.ParticipantMoved(participant_id=participant, epoch=epoch)
    )


def snapshot(number: int, *people: str, ended: bool = False) -> room_pb2.Snapshot:
    return room_pb2.Snapshot(
        event_number=number,
        room=room_pb2.Room(state=room_pb2.ROOM_STATE_ENDED if ended else room_pb2.ROOM_STATE_OPEN),
        participants=[room_pb2.Participant(id=person) for person in people],
    )


def claim(
    participant: ParticipantId = ME, session: int = 1, opened: int = 1000, stream: str = "0" * 16
) -> StreamClaim:
    return StreamClaim(participant, session, opened, stream)
