"""A stream's shell: mailbox in, messages out, replays beside it."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from salon.rooms.v1 import room_pb2, rooms_pb2
from salon.signaling.v1 import signaling_pb2
from salon_common.clock import ManualClock
from salon_common.errors import Code, SalonError
from salon_signaling.core.stream import EndCause, Membership, ParticipantStream, StreamTimes
from salon_signaling.delivery import Delivery, DeliveryCalls
from salon_signaling.mailbox import MAX_WAITING, Draining, Mailbox, Reconnected
from unit.signaling.events import changed, chat, claim

ME = claim().participant_id
TIMES = StreamTimes(keepalive=10, token_lifetime=600, replay_backoff=0.001)


class Scene:
    """One delivery, its mailbox, and the answers to its replays."""

    def __init__(self, clock: ManualClock) -> None:
        self.mailbox = Mailbox()
        self.answers: list[rooms_pb2.ReplayResponse | SalonError] = []
        self.asked: list[int] = []
        self.clock = clock
        member = Membership(claim(), room_pb2.ROLE_SPEAKER, epoch=1)
        stream = ParticipantStream(member, last_event=5, room_event=5, times=TIMES, now=clock.now())
        self.delivery = Delivery(stream, self.mailbox, DeliveryCalls(self.issue, self.replay), clock)
        self.messages: AsyncIterator[signaling_pb2.JoinResponse] = self.delivery.messages()

    @staticmethod
    def issue(role: "room_pb2.Role.ValueType") -> signaling_pb2.SessionToken:
        return signaling_pb2.SessionToken(token=f"role {role}")

    async def replay(self, after: int) -> rooms_pb2.ReplayResponse:
        self.asked.append(after)
        answer = self.answers.pop(0)
        if isinstance(answer, SalonError):
            raise answer
        return answer

    async def next(self) -> signaling_pb2.JoinResponse:
        async with asyncio.timeout(5):
            return await anext(self.messages)


@pytest.fixture
def scene(clock: ManualClock) -> Scene:
    return Scene(clock)


async def test_events_are_sent_in_order(scene: Scene) -> None:
    scene.mailbox.put(chat(6))
    scene.mailbox.put(chat(7))
    assert [(await scene.next()).event.number for _ in range(2)] == [6, 7]


async def test_a_hole_is_closed_by_a_replay(scene: Scene) -> None:
    scene.answers = [rooms_pb2.ReplayResponse(events=[chat(6), chat(7)])]
    scene.mailbox.put(chat(7))
    assert [(await scene.next()).event.number for _ in range(2)] == [6, 7]
    assert scene.asked == [5]


async def test_a_room_that_is_gone_ends_the_stream(scene: Scene) -> None:
    scene.answers = [SalonError(Code.NOT_FOUND, "no such room")]
    scene.mailbox.put(Reconnected())
    with pytest.raises(SalonError, match="no such room"):
        await scene.next()
    assert scene.delivery.cause == EndCause.OUT


async def test_a_replay_that_fails_is_tried_again(scene: Scene) -> None:
    scene.answers = [
        SalonError(Code.UNAVAILABLE, "away"),
        rooms_pb2.ReplayResponse(events=[chat(6)]),
    ]
    scene.mailbox.put(Reconnected())
    reading = asyncio.create_task(scene.next())
    while len(scene.asked) < 2:
        scene.clock.advance(0.001)
        await asyncio.sleep(0.001)  # the mailbox waits in real time, the stream in the test's
    assert (await reading).event.number == 6


async def test_a_new_role_is_a_new_token(scene: Scene) -> None:
    scene.mailbox.put(changed(6, ME, room_pb2.ROLE_HOST))
    await scene.next()
    assert (await scene.next()).session_token.token == f"role {room_pb2.ROLE_HOST}"


async def test_silence_brings_a_keepalive(scene: Scene) -> None:
    scene.clock.advance(10)
    scene.mailbox.put(chat(1))
    assert (await scene.next()).WhichOneof("body") == "keepalive"


@pytest.mark.parametrize(
    ("fill", "cause", "words"),
    [
        (lambda box: box.put(Draining()), EndCause.DRAINED, "resume elsewhere"),
        (lambda box: [box.put(chat(6)) for _ in range(MAX_WAITING + 1)], EndCause.SLOW, "read too slowly"),
    ],
)
async def test_ends_with_an_error(
    scene: Scene, fill: Callable[[Mailbox], object], cause: EndCause, words: str
) -> None:
    fill(scene.mailbox)
    with pytest.raises(SalonError, match=words) as caught:
        await scene.next()
    assert caught.value.code == Code.UNAVAILABLE
    assert scene.delivery.cause == cause


async def test_a_newer_stream_ends_this_one_in_order(scene: Scene) -> None:
    scene.mailbox.put(claim(session=2))
    assert (await scene.next()).WhichOneof("body") == "taken_over"
    with pytest.raises(StopAsyncIteration):
        await scene.next()
    assert scene.delivery.cause == EndCause.TAKEN_OVER
