"""The servicer over the simulated store: fields are checked, commands written, statuses told."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from salon.rooms.v1 import room_pb2, rooms_pb2
from salon_common.clock import ManualClock
from salon_common.errors import Code, SalonError
from salon_rooms.core.placement import Directory, NodeRef
from salon_rooms.core.suspicion import ProbeOutcome
from salon_rooms.servicer import RoomsServicer
from salon_rooms.simulated_store import SimulatedStore
from salon_rooms.store import StoreUnavailable
from salon_rooms.writer import Writers
from unit.rooms.kit import KEY, OWNER, beat, random_bytes

NO_CONTEXT = object()


class Doubts:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.asks: list[tuple[NodeRef, str]] = []
        self.unanswered: list[NodeRef] = []
        self.then: Callable[[NodeRef], None] = lambda _: None

    async def ask(self, ref: NodeRef, asker: str) -> None:
        self.asks.append((ref, asker))
        self.then(ref)

    async def handle_unanswered(self, ref: NodeRef) -> None:
        self.unanswered.append(ref)
        self.then(ref)


class Fixture:
    def __init__(self) -> None:
        self.fail = False
        self.store = SimulatedStore(on_call=self.on_call)
        clock = ManualClock()
        nodes = Directory(0.0)
        nodes.handle_beat(beat("n1", health_address="127.0.0.1:9000"), 0.0)
        self.writers = Writers(self.store, nodes, clock)
        self.nodes = nodes
        self.doubts = Doubts()
        self.servicer = RoomsServicer(
            "local", KEY, self.writers, self.store, clock, random_bytes, self.doubts
        )

    async def on_call(self, call: str, room_id: str) -> None:
        if self.fail:
            raise StoreUnavailable

    async def create(self) -> rooms_pb2.CreateRoomResponse:
        return await self.servicer.CreateRoom(
            rooms_pb2.CreateRoomRequest(request_id="r", owner=OWNER, title="Tea"), NO_CONTEXT
        )

    async def join(self, room_id: str, secret: str) -> rooms_pb2.JoinResponse:
        request = rooms_pb2.JoinRequest(
            room_id=room_id, request_id="j", invite_secret=secret, name="Ada", wants_media=True
        )
        return await self.servicer.Join(request, NO_CONTEXT)


@pytest.fixture
async def here() -> AsyncIterator[Fixture]:
    made = Fixture()
    yield made
    made.fail = False
    await made.writers.close()


async def test_a_life_in_a_room(here: Fixture) -> None:
    servicer = here.servicer
    made = await here.create()
    room_id = made.room.id
    host = (await here.join(room_id, made.host_secret)).participant
    link = await servicer.CreateInvite(
        rooms_pb2.CreateInviteRequest(room_id=room_id, participant_id=host.id), NO_CONTEXT
    )
    await servicer.RevokeInvite(
        rooms_pb2.RevokeInviteRequest(room_id=room_id, participant_id=host.id, invite_id=link.invite_id),
        NO_CONTEXT,
    )
    with pytest.raises(SalonError) as error:
        await here.join(room_id, link.invite_secret)
    assert error.value.code is Code.PERMISSION_DENIED
    place = await servicer.Replace(
        rooms_pb2.ReplaceRequest(room_id=room_id, participant_id=host.id, failed=host.place), NO_CONTEXT
    )
    assert place.place == host.place
    on = await servicer.SetSources(
        rooms_pb2.SetSourcesRequest(
            room_id=room_id, participant_id=host.id, active=[room_pb2.SOURCE_KIND_CAMERA]
        ),
        NO_CONTEXT,
    )
    chat = await servicer.SendChat(
        rooms_pb2.SendChatRequest(room_id=room_id, participant_id=host.id, request_id="c", text="hi"),
        NO_CONTEXT,
    )
    assert chat.event_number == on.event_number + 1
    replay = await servicer.Replay(rooms_pb2.ReplayRequest(room_id=room_id), NO_CONTEXT)
    assert [event.number for event in replay.events] == [1, 2, 3, 4]
    await servicer.Leave(rooms_pb2.LeaveRequest(room_id=room_id, participant_id=host.id), NO_CONTEXT)
    preview = await servicer.PreviewRoom(
        rooms_pb2.PreviewRoomRequest(room_id=room_id, invite_secret=made.invite_secret), NO_CONTEXT
    )
    assert preview.occupancy == 0


async def test_events_no_longer_kept_are_answered_by_a_snapshot(here: Fixture) -> None:
    made = await here.create()
    await here.join(made.room.id, made.invite_secret)
    here.store.expire_events(made.room.id, 1)
    replay = await here.servicer.Replay(rooms_pb2.ReplayRequest(room_id=made.room.id), NO_CONTEXT)
    assert replay.snapshot.event_number == 2
    assert [p.name for p in replay.snapshot.participants] == ["Ada"]


async def test_wrong_fields_are_refused_before_anything_happens(here: Fixture) -> None:
    with pytest.raises(SalonError, match="request_id") as error:
        await here.servicer.CreateRoom(rooms_pb2.CreateRoomRequest(), NO_CONTEXT)
    assert error.value.code is Code.INVALID_ARGUMENT


@pytest.mark.parametrize("room_id", ["local-" + "z" * 20, "mars-" + "z" * 20])
async def test_unknown_rooms_and_those_of_other_regions_are_not_found(here: Fixture, room_id: str) -> None:
    for attempt in (
        here.join(room_id, "A" * 22),
        here.servicer.Replay(rooms_pb2.ReplayRequest(room_id=room_id), NO_CONTEXT),
    ):
        with pytest.raises(SalonError, match="no such room") as error:
            await attempt
        assert error.value.code is Code.NOT_FOUND


async def test_a_replay_without_a_store_says_to_try_again(here: Fixture) -> None:
    made = await here.create()
    here.fail = True
    with pytest.raises(SalonError, match="try again") as error:
        await here.servicer.Replay(rooms_pb2.ReplayRequest(room_id=made.room.id), NO_CONTEXT)
    assert error.value.code is Code.UNAVAILABLE
    await asyncio.sleep(0)


async def test_who_hears_a_node_no_more_is_answered_when_that_has_been_looked_into(here: Fixture) -> None:
    made = await here.create()
    ada = (await here.join(made.room.id, made.host_secret)).participant

    def fall_silent(ref: NodeRef) -> None:
        here.nodes.handle_beat(beat("n2"), 0.0)
        for wanted in here.nodes.poll_probes(0.0):
            here.nodes.handle_probe(wanted.ref, ProbeOutcome.ANSWERED, 0.0)
        here.nodes.handle_disconnect(ref, 0.0)
        for wanted in here.nodes.poll_probes(0.0):
            here.nodes.handle_probe(wanted.ref, ProbeOutcome.SILENT, 0.0)

    here.doubts.then = fall_silent
    request = rooms_pb2.JoinRequest(
        room_id=made.room.id,
        request_id="again",
        participant_id=ada.id,
        wants_media=True,
        unheard_epoch=1,
        asker="a",
    )
    again = (await here.servicer.Join(request, NO_CONTEXT)).participant
    assert here.doubts.asks == [(NodeRef("n1", "b1"), "a")]
    assert (again.place.node_id, again.place.epoch) == ("n2", 2)
    late = (await here.servicer.Join(request, NO_CONTEXT)).participant
    assert len(here.doubts.asks) == 1, "about a place that is left already nobody asks"
    assert late.place == again.place


async def test_a_node_that_did_not_answer_is_doubted_and_one_that_refused_is_not(here: Fixture) -> None:
    made = await here.create()
    ada = (await here.join(made.room.id, made.host_secret)).participant
    for unanswered in (False, True):
        request = rooms_pb2.ReplaceRequest(
            room_id=made.room.id, participant_id=ada.id, failed=ada.place, unanswered=unanswered
        )
        await here.servicer.Replace(request, NO_CONTEXT)
    assert here.doubts.unanswered == [NodeRef("n1", "b1")]
