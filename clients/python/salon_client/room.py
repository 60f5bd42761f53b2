"""A room that the program is in: `async with Room.join(link, "Ada", tracks=…) as room`.

Owns the event stream and its resuming: a broken stream goes on at any replica after the last event it has; a participant that was taken for lost
enters anew by the link. Media is in `room_media`, the rules are in `core/`.
"""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from types import TracebackType
from typing import TypedDict, Unpack

from salon.rooms.v1 import room_pb2
from salon.signaling.v1 import signaling_pb2
from salon_common.errors import Code, SalonError
from salon_common.ids import parse_room_id

from salon_client.api import SignalingApi, new_request_id
from salon_client.core.layout import CAMERAS, PICTURES, arrange, wanted_sources
from salon_client.core.outcomes import Next, after_error, after_leaving
from salon_client.core.quality import QualityMeter
from salon_client.core.reconnect import Reconnector
from salon_client.core.room_state import Outcome, RoomState
from salon_client.core.sdp import DEFAULT_VIDEO_SLOTS
from salon_client.events import Disconnected, Ended, Entered, Replaced, RoomNews, Waiting
from salon_client.feed import Feed
from salon_client.link import Link, find_signaling, parse_link
from salon_client.media import FrameSink
from salon_client.quality import QualityReporter
from salon_client.room_media import MediaOffer, RoomMedia
from salon_client.stream import join_responses
from salon_client.tracks import NO_TRACKS, Lender, Tracks

_log = logging.getLogger(__name__)

_ENTER_SECONDS = 20.0
_LEAVE_SECONDS = 2.0
_CHAT_SECONDS = 10.0
_CHAT_PAUSE_SECONDS = 0.2


class RoomOptions(TypedDict, total=False):
    """How to be in a room."""

    tracks: Tracks
    """What to send; nothing by default."""
    signaling: Sequence[str]
    """gRPC addresses of signaling replicas; by default what the link's site says."""
    app_token: str
    """From an app that vouches for the user."""
    media: bool
    """False joins without a media session: events and messages alone."""
    video_slots: int
    """How many pictures to receive at most, 1-25."""
    max_height: int
    """How tall the pictures are wanted."""


class Room:
    """One participant's view of a room. Made by `join`; usable inside its `async with`."""

    def __init__(
        self,
        link: Link,
        name: str,
        *,
        tracks: Tracks = NO_TRACKS,
        signaling: Sequence[str] = (),
        app_token: str = "",
        media: bool = True,
        video_slots: int = DEFAULT_VIDEO_SLOTS,
        max_height: int = 720,
    ) -> None:
        self.link = link
        self.name = name
        self.state = RoomState()
        """What is known of the room."""
        self.me = ""
        """The own participant's id, once in."""
        self.node_id = ""
        """The node that serves the media."""
        self._served_epoch = 0
        """The placement's epoch of the newest media session, asked for or made: an older move is done already."""
        self.ended: Ended | None = None
        """Set once out of the room."""
        self._addresses = tuple(signaling)
        self._app_token = app_token
        self._feed: Feed[RoomNews] = Feed()
        self._lender = Lender(tracks)
        self._interrupt = asyncio.Event()
        self._quality = QualityMeter(time.monotonic())
        self._reporter = QualityReporter(self._quality, self._report_quality)
        self._media: RoomMedia | None = None
        if media:
            self._media = RoomMedia(
                self._lender,
                video_slots=video_slots,
                max_height=max_height,
                publish=self._feed.publish,
                on_needed=self._interrupt.set,
                meter=self._quality,
            )
        self._auto_layout = True
        self._token = ""
        self._request_id = new_request_id()
        self._api: SignalingApi | None = None
        self._task: asyncio.Task[None] | None = None
        self._chores: set[asyncio.Task[None]] = set()
        self.at_door = False
        """Waiting to be let in."""
        self._last_error: SalonError | None = None

    @classmethod
    def join(cls, link: Link | str | tuple[str, str], name: str, **options: Unpack[RoomOptions]) -> "Room":
        """A room to enter with `async with`: by its link, or by (room id, secret) when `signaling` is given."""
        if isinstance(link, str):
            link = parse_link(link)
        elif isinstance(link, tuple):
            link = Link("", parse_room_id(link[0]), link[1])
        return cls(link, name, **options)

    async def __aenter__(self) -> "Room":
        """Enter, or come to the door. Raises SalonError that says why not."""
        try:
            await self._enter()
        except BaseException:
            await self.abandon()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.leave()

    # ---- what a user does

    @property
    def media(self) -> RoomMedia:
        """The media. Raises SalonError in a room joined without."""
        if self._media is None:
            raise SalonError(Code.FAILED_PRECONDITION, "this room was joined without media")
        return self._media

    def events(self) -> AsyncIterator[RoomNews]:
        """All news from now on, in order, until the room is left."""
        return self._feed.subscribe()

    async def until(self, condition: "Callable[[Room], bool]", seconds: float = 10.0) -> None:
        """Wait until `condition(room)` holds; it is asked at each change. Raises TimeoutError."""
        await self._feed.until(lambda: condition(self), seconds)

    def name_of(self, participant_id: str) -> str:
        """A participant's name, also of one that has left."""
        return self.state.name_of(participant_id)

    def add_sink(self, sink: FrameSink) -> None:
        """Give it every decoded frame, with its source's number: `state.owner` says whose that is."""
        self.media.add_sink(sink)

    async def send_chat(self, text: str) -> int:
        """Write to everybody: the event's number. Tried again while nobody answers; never written twice."""
        request_id = new_request_id()
        loop = asyncio.get_running_loop()
        give_up = loop.time() + _CHAT_SECONDS
        while True:
            try:
                return await self._calls().send_chat(self._token, text, request_id)
            except SalonError as error:
                if after_error(error.code, resuming=False) is not Next.RETRY or loop.time() > give_up:
                    raise
            await asyncio.sleep(_CHAT_PAUSE_SECONDS)

    async def set_sources(self, active: "Iterable[room_pb2.SourceKind.ValueType]") -> int:
        """Turn sources on, and all others off: for what is sent at once, then for what others are told."""
        kinds = sorted(active)
        self._lender.active = frozenset(kinds)
        return await self._calls().set_sources(self._token, kinds)

    def set_layout(self, sources: Sequence[int] | None) -> None:
        """Which source each video slot shows, 0 for none; None goes back to showing the others in order."""
        self._auto_layout = sources is None
        if sources is not None:
            self.media.want(tuple(sources))
        self._lay_out()

    async def leave(self) -> None:
        """Leave the room and end everything."""
        if self._token and self.ended is None and self._api is not None:
            with contextlib.suppress(SalonError, TimeoutError):
                async with asyncio.timeout(_LEAVE_SECONDS):
                    await asyncio.gather(self._api.leave(self._token), self._reporter.report())
        await self.abandon()

    async def abandon(self) -> None:
        """End everything without telling anybody, as a crash would."""
        tasks = [each for each in (self._task, *self._chores) if each is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._media is not None:
            await self._media.close()
        self._lender.tracks.stop()
        if self._api is not None:
            await self._api.close()
        if self.ended is None:
            self._end("left")
        self._feed.close()

    # ---- entering and staying

    async def _enter(self) -> None:
        addresses = self._addresses or await find_signaling(self.link.origin)
        self._api = SignalingApi(addresses)
        self._task = asyncio.create_task(self._stay(self._api))
        self._task.add_done_callback(self._stayed)
        if self._media is not None:
            self._do(self._reporter.run())
        try:
            await self.until(lambda room: bool(room.me or room.at_door or room.ended), _ENTER_SECONDS)
        except TimeoutError:
            why = self._last_error or "no answer"
            raise SalonError(
                Code.UNAVAILABLE, f"could not enter within {_ENTER_SECONDS:g} s: {why}"
            ) from None
        if self.ended is not None:
            raise self._last_error or SalonError(Code.UNAVAILABLE, self.ended.why)

    async def _stay(self, api: SignalingApi) -> None:
        """Keep a stream open until the room is over for us."""
        # Clients start at different replicas, so that one is not everybody's first.
        start = random.randrange(len(api.addresses))  # noqa: S311 - spreading load
        reconnector = Reconnector(api.addresses, start=start)
        while self.ended is None:
            attempt = reconnector.next_attempt(random.random())  # noqa: S311 - spreading load
            await asyncio.sleep(attempt.delay)
            try:
                await self._stream(api, attempt.address, reconnector)
            except SalonError as error:
                reconnector.failed()
                self._take_error(error)

    def _stayed(self, task: "asyncio.Task[None]") -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _log.error("the room's task failed", exc_info=error)
            self._end("internal error: the log has it")

    async def _stream(self, api: SignalingApi, address: str, reconnector: Reconnector) -> None:
        """One Join, from its first message to its last."""
        self._interrupt.clear()
        request = await self._join_request()
        async for response in join_responses(api, address, request, self._interrupt):
            if response.HasField("welcome"):
                reconnector.succeeded()
                api.preferred = address
            if not await self._receive(response) or self.ended is not None:
                return
        if not self._interrupt.is_set() and self.ended is None:
            raise SalonError(Code.UNAVAILABLE, "the stream ended")

    async def _join_request(self) -> signaling_pb2.JoinRequest:
        offer = await self._media.offer() if self._media else MediaOffer()
        request = signaling_pb2.JoinRequest(
            room_id=self.link.room_id,
            request_id=self._request_id,
            offer=offer.sdp,
            epoch=self.state.epoch,
            unheard_epoch=offer.unheard_epoch,
            downlink_bps=offer.downlink_bps,
        )
        if self._token:
            request.session_token = self._token
            request.last_event = self.state.last_event
        else:
            request.invite_secret = self.link.secret
            request.name = self.name
            request.app_token = self._app_token
        return request

    def _take_error(self, error: SalonError) -> None:
        self._last_error = error
        follows = after_error(error.code, resuming=bool(self._token))
        if follows is Next.GIVE_UP:
            self._end(error.message)
            return
        if follows is Next.REJOIN:
            self._forget_participant()
        self._feed.publish(Disconnected(error.message))

    def _forget_participant(self) -> None:
        """Enter by the link next, as somebody new."""
        self._token = ""
        self._request_id = new_request_id()
        if self._media is not None:
            self._media.restart()

    def _end(self, why: str) -> None:
        self.ended = Ended(why)
        self._feed.publish(self.ended)

    # ---- the stream's messages

    async def _receive(self, response: signaling_pb2.JoinResponse) -> bool:
        """Take one message; whether to go on reading this stream."""
        body = response.WhichOneof("body")
        if body == "welcome":
            await self._receive_welcome(response.welcome)
        elif body == "event":
            return self._receive_event(response.event)
        elif body == "snapshot":
            self._receive_snapshot(response.snapshot)
        elif body == "session_token":
            self._token = response.session_token.token
        elif body == "waiting":
            self.at_door = True
            self._feed.publish(Waiting())
        elif body == "taken_over":
            self._end("this participant was taken over by another client")
        elif body == "moved":
            self._move(response.moved)
        return True

    async def _receive_welcome(self, welcome: signaling_pb2.Welcome) -> None:
        resumed = welcome.participant_id == self.me
        self.me = welcome.participant_id
        self.at_door = False
        self.node_id = welcome.node_id or self.node_id
        self._token = welcome.session_token.token
        self._request_id = new_request_id()
        self.state.see_epoch(welcome.epoch)
        if welcome.HasField("snapshot"):
            self._receive_snapshot(welcome.snapshot)
        if welcome.answer and self._media is not None:
            self._served_epoch = max(self._served_epoch, welcome.epoch)
            await self._media.accept(welcome.answer, self.node_id, welcome.epoch)
        self._feed.publish(Entered(self.me, self.node_id, resumed))
        self._follow_state()
        self._do(self._tell_sources())

    def _receive_snapshot(self, snapshot: room_pb2.Snapshot) -> None:
        self.state.receive_snapshot(snapshot)
        self._feed.publish(Replaced(snapshot.event_number))
        self._follow_state()

    def _receive_event(self, event: room_pb2.Event) -> bool:
        outcome = self.state.receive_event(event)
        if outcome is Outcome.GAP:
            # The next stream starts after the last number there is.
            raise SalonError(Code.UNAVAILABLE, f"event {self.state.last_event + 1} is missing in the stream")
        if outcome is Outcome.DUPLICATE:
            return True
        self._feed.publish(event)
        self._follow_state()
        if event.HasField("room_ended"):
            self._end("the room has ended")
        elif event.participant_left.participant_id == self.me != "":
            return self._receive_own_leaving(event.participant_left.reason)
        elif event.participant_moved.participant_id == self.me != "":
            self._move(event.participant_moved)
        return True

    def _receive_own_leaving(self, reason: "room_pb2.LeaveReason.ValueType") -> bool:
        if after_leaving(reason) is Next.REJOIN:
            self._forget_participant()
            return False
        name = room_pb2.LeaveReason.Name(reason).removeprefix("LEAVE_REASON_").lower()
        self._end(f"out of the room: {name}")
        return False

    def _move(self, moved: signaling_pb2.Moved | room_pb2.ParticipantMoved) -> None:
        # The epoch may have been seen before: placement_changed comes in the same batch as the move.
        self.state.see_epoch(moved.epoch)
        if moved.epoch > self._served_epoch and self._media is not None:
            self._served_epoch = moved.epoch
            spread = random.random() * moved.spread_ms / 1000  # noqa: S311 - spreading load
            self._media.move(make_before_break=moved.make_before_break, spread=spread)

    # ---- keeping others and the node informed

    def _follow_state(self) -> None:
        if self._media is not None:
            self._media.see_people(self.state.microphones())
        self._lay_out()
        self._see_cameras()

    def _see_cameras(self) -> None:
        """Whose pictures should move: those of the cameras that are on and have a slot."""
        cameras = set(self.state.active_sources(CAMERAS, without=self.me))
        pictures = any(self.state.active_sources(PICTURES, without=self.me))
        shown = cameras.intersection(self._media.wishes) if self._media else ()
        self._quality.handle_people(shown, pictures=pictures)

    async def _report_quality(self, report: signaling_pb2.ReportQualityRequest) -> None:
        if self._token and self._api is not None and self._media is not None:
            await self._api.report_quality(self._token, report)

    def _lay_out(self) -> None:
        if self._auto_layout and self._media is not None and self.me:
            wanted = wanted_sources(self.state, self.me)
            self._media.want(arrange(self._media.wishes, wanted, self._media.video_slots))

    async def _tell_sources(self) -> None:
        """Bring what others are told in line with what is sent."""
        listed = self.state.participants.get(self.me)
        told = {each.kind for each in listed.sources if each.active} if listed else set()
        if told != self._lender.active:
            with contextlib.suppress(SalonError):
                await self.set_sources(self._lender.active)

    def _do(self, work: "Coroutine[None, None, None]") -> None:
        task = asyncio.create_task(work)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    def _calls(self) -> SignalingApi:
        if self._api is None or not self._token:
            raise SalonError(Code.FAILED_PRECONDITION, "not in the room yet: use `async with`")
        return self._api
