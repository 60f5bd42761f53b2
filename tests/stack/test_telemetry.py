"""What the running whole tells of itself: one trace follows a join, clients' reports are counted, and neither rooms nor people
make series.
"""

import asyncio
import re
from pathlib import Path

import pytest
from salon_client.room import Room
from salon_client.run.stack import Link, Stack
from salon_client.synthetic import COLOURS, ColourTrack, ToneTrack
from salon_client.tracks import Tracks
from support.control_client import ControlClient
from support.metrics import Series, scrape, series_of, until_told, value
from support.otlp_sink import OtlpSink, Span, otlp_sink

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]

SERVICES = ("rooms", "signaling", "media")
MAX_SERIES = 1500
"""Of one process. It is reached by more methods, codes and buckets, and not by more people."""


def kinds(series: Series) -> set[tuple[str, tuple[tuple[str, str], ...]]]:
    """The series but for how something ended: another ending may show at any time, and there are few."""
    return {
        (name, tuple(pair for pair in labels if pair[0] not in ("code", "cause", "result")))
        for name, labels in series
    }


def person(stack: Stack, link: Link, name: str, colour: str) -> Room:
    tracks = Tracks(microphone=ToneTrack(440), camera=ColourTrack(COLOURS[colour]))
    return Room.join(link, name, tracks=tracks, signaling=stack.signaling_grpc)


async def meet(stack: Stack) -> tuple[Link, list[str]]:
    """Two people meet, see one another, and leave: the link, and what they are called."""
    link = await stack.create_room("Secret plans")
    async with person(stack, link, "Adalbert", "red") as first:
        await first.until(lambda room: room.media.connected, 20)
        async with person(stack, link, "Bobette", "blue"):
            await until_told(stack, "signaling-1", _has_first_frame)
            return link, [first.me, "Adalbert", "Bobette", "Secret plans"]


def _has_first_frame(series: Series) -> bool:
    return value(series, "salon_signaling_first_frame_seconds_count") >= 1


async def crowd(stack: Stack, rooms: int, people: int) -> None:
    """So many rooms with so many people, who leave again."""
    for number in range(rooms):
        link = await stack.create_room(f"Room {number}")
        clients = [
            ControlClient(stack.signaling_grpc, link.room_id, link.secret, f"Person {number}-{each}")
            for each in range(people)
        ]
        await asyncio.gather(*(client.join() for client in clients))
        await clients[0].chat("hello")
        await asyncio.gather(*(client.close() for client in clients))


def check_traces(sink: OtlpSink, secrets: list[str]) -> None:
    admitted = [span for span in sink.named("media/Admit") if _follows_a_join(sink, span)]
    assert len(admitted) == 2, "each join is followed to its node"
    for span in admitted:
        same = {each.service for each in _of_trace(sink, span.trace_id)}
        assert same == {"salon-signaling", "salon-rooms", "salon-media"}
        turns = [each for each in sink.named("commit") if each.trace_id == span.trace_id]
        assert sink.chain(turns[0]) == [
            "signaling/Join",
            "call rooms/Join",
            "rooms/Join",
            "turn",
            "commit",
        ]
    for secret in secrets:
        assert secret.encode() not in sink.raw, "no names, ids of people or secrets in traces"


def _follows_a_join(sink: OtlpSink, span: Span) -> bool:
    return sink.chain(span) == ["signaling/Join", "call media/Admit", "media/Admit"]


def _of_trace(sink: OtlpSink, trace_id: str) -> list[Span]:
    names = ("signaling/Join", "rooms/Join", "media/Admit", "commit")
    return [span for name in names for span in sink.named(name) if span.trace_id == trace_id]


async def test_the_whole_tells_of_itself(tmp_path: Path) -> None:
    with otlp_sink() as sink:
        settings = {
            name: {
                f"SALON_{name.upper()}_TRACES_ENDPOINT": sink.endpoint,
                f"SALON_{name.upper()}_TRACES_RATIO": "1",
            }
            for name in SERVICES
        }
        parts = [f"{name}-1" for name in SERVICES]
        async with Stack(
            rooms=1, signaling=1, media=1, web=False, directory=tmp_path, settings=settings, grace=10
        ) as stack:
            link, told = await meet(stack)
            reported = await until_told(stack, "signaling-1", _both_have_reported)
            check_reports(reported)
            assert " # {trace_id=" in await scrape(stack, "signaling-1"), "buckets lead to traces"
            await until_told(stack, "rooms-1", lambda series: value(series, "salon_rooms_open_rooms") == 0)
            await until_told(stack, "rooms-1", _tells_of_nats)
            await crowd(stack, rooms=1, people=2)
            settled = {part: await series_of(stack, part) for part in parts}
            await crowd(stack, rooms=12, people=4)
            after = {part: await series_of(stack, part) for part in parts}
        check_traces(sink, [*told, link.secret, link.room_id])
    for part in parts:
        assert kinds(after[part]) == kinds(settled[part]), "more rooms and people are no more series"
        assert len(after[part]) < MAX_SERIES
        labels = " ".join(text for _, pairs in after[part] for _, text in pairs)
        assert not re.search(rf"{link.room_id}|Person|Adalbert", labels)


def _tells_of_nats(series: Series) -> bool:
    """Of the connection, of what streams keep, and, by the system account, of the servers."""
    servers = [number for (name, _), number in series.items() if name == "salon_nats_server_connections"]
    return (
        value(series, "salon_nats_connected") == 1
        and 0 < value(series, "salon_nats_round_trip_seconds") < 2
        and value(series, "salon_rooms_stream_messages", stream="ROOMS_0") > 0
        and value(series, "salon_event_loop_lag_seconds_count") > 0
        and len(servers) == 1
        and servers[0] > 0
    )


def _both_have_reported(series: Series) -> bool:
    return value(series, "salon_signaling_join_steps_total", step="connected") == 2


def check_reports(series: Series) -> None:
    steps = {
        step: value(series, "salon_signaling_join_steps_total", step=step)
        for step in ("called", "reserved", "admitted", "welcomed", "connected", "first_frame")
    }
    # Nobody was there when the first one came, so nobody's picture was slow to come.
    assert steps == {
        "called": 2,
        "reserved": 2,
        "admitted": 2,
        "welcomed": 2,
        "connected": 2,
        "first_frame": 1,
    }
    assert 0 < value(series, "salon_signaling_first_frame_seconds_sum") < 10
    assert value(series, "salon_signaling_quality_reports_total", result="refused") == 0
