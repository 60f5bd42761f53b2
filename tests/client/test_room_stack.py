"""The library through the real services: rooms, signaling, NATS and media nodes as processes."""

import asyncio
import functools
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import av
import pytest
import pytest_asyncio
from salon.rooms.v1 import room_pb2
from salon_client.events import Entered, MediaConnected
from salon_client.link import Link
from salon_client.probe import Probe, close_colours
from salon_client.room import Room
from salon_client.run.stack import Stack
from salon_client.synthetic import COLOURS, Colour, ColourTrack, ToneTrack
from salon_client.tracks import Tracks

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    async with Stack(directory=tmp_path_factory.mktemp("stack")) as running:
        yield running


def someone(stack: Stack, link: Link, name: str, colour: Colour, hertz: float) -> tuple[Room, Probe]:
    tracks = Tracks(microphone=ToneTrack(hertz), camera=ColourTrack(colour))
    room, probe = Room.join(link, name, tracks=tracks, signaling=stack.signaling_grpc), Probe()
    room.add_sink(probe)
    return room, probe


def receives(room: Room, probe: Probe, who: Room, colour: Colour, hertz: float) -> bool:
    """Whether `who` is seen in its colour and heard with its tone."""
    report = probe.report(room.state).get(who.me)
    if report is None or report.colour is None or report.tone is None:
        return False
    return close_colours(report.colour, colour) and abs(report.tone - hertz) < 6


async def eventually_receives(room: Room, probe: Probe, who: Room, colour: Colour, hertz: float) -> None:
    async with asyncio.timeout(20):
        while not receives(room, probe, who, colour, hertz):
            await probe.next_frame()


async def test_two_see_each_others_colour_and_hear_each_others_tone(stack: Stack) -> None:
    link = await stack.create_room("Two")
    ada, ada_probe = someone(stack, link, "Ada", COLOURS["red"], 440)
    bob, bob_probe = someone(stack, link, "Bob", COLOURS["blue"], 880)
    async with ada, bob:
        await eventually_receives(ada, ada_probe, bob, COLOURS["blue"], 880)
        await eventually_receives(bob, bob_probe, ada, COLOURS["red"], 440)
        own = {
            number
            for number in ada_probe.sources
            if ada.state.owner(number) and ada.me == _owner(ada, number)
        }
        assert own == set(), "nobody receives themselves"


def _owner(room: Room, number: int) -> str:
    owner = room.state.owner(number)
    return owner.participant_id if owner else ""


def last_message_is(text: str, room: Room) -> bool:
    return bool(room.state.chat) and room.state.chat[-1].text == text


async def test_chat_and_presence_reach_everybody_in_order(stack: Stack) -> None:
    link = await stack.create_room("Chat")
    async with Room.join(link, "Ada") as ada:
        async with Room.join(link, "Bob") as bob:
            for number in range(5):
                await (ada if number % 2 else bob).send_chat(f"message {number}")
            await ada.until(lambda room: len(room.state.chat) == 5)
            assert [each.text for each in ada.state.chat] == [f"message {number}" for number in range(5)]
            await ada.until(
                lambda room: room.state.participants[bob.me].state == room_pb2.PARTICIPANT_STATE_PRESENT
            )
            gone = bob.me
        await ada.until(lambda room: gone not in room.state.participants, 2)
        assert ada.state.log == list(range(ada.state.log[0], ada.state.log[0] + len(ada.state.log)))


async def test_muting_is_told_and_stops_the_sending(stack: Stack) -> None:
    link = await stack.create_room("Mute")
    ada, ada_probe = someone(stack, link, "Ada", COLOURS["red"], 440)
    bob, _ = someone(stack, link, "Bob", COLOURS["green"], 660)
    async with ada, bob:
        await eventually_receives(ada, ada_probe, bob, COLOURS["green"], 660)
        await bob.set_sources([room_pb2.SOURCE_KIND_MICROPHONE])
        camera = next(
            number for number in ada_probe.sources if _kind(ada, number) == room_pb2.SOURCE_KIND_CAMERA
        )
        await ada.until(lambda room: camera not in room.state.active_sources([room_pb2.SOURCE_KIND_CAMERA]))
        await ada.until(lambda room: not any(room.media.wishes))
        await bob.set_sources([room_pb2.SOURCE_KIND_MICROPHONE, room_pb2.SOURCE_KIND_CAMERA])
        before = ada_probe.sources[camera].frames
        async with asyncio.timeout(10):
            while ada_probe.sources[camera].frames < before + 5:
                await ada_probe.next_frame()


def _kind(room: Room, number: int) -> int:
    owner = room.state.owner(number)
    return owner.kind if owner else 0


async def test_killed_signaling_costs_no_event_and_no_picture(stack: Stack) -> None:
    link = await stack.create_room("Resume")
    ada, ada_probe = someone(stack, link, "Ada", COLOURS["red"], 440)
    bob, _ = someone(stack, link, "Bob", COLOURS["yellow"], 550)
    async with ada, bob:
        await eventually_receives(ada, ada_probe, bob, COLOURS["yellow"], 550)
        news = ada.events()
        for name in ("signaling-1", "signaling-2"):
            await stack.kill(name)
            await bob.send_chat(f"without {name}")
            await ada.until(functools.partial(last_message_is, f"without {name}"))
            await stack.start(name)
        assert [each.text for each in ada.state.chat] == ["without signaling-1", "without signaling-2"]
        assert ada.state.log == list(range(ada.state.log[0], ada.state.last_event + 1))
        ada_probe.sources.clear()
        await eventually_receives(ada, ada_probe, bob, COLOURS["yellow"], 550)
    seen = [each async for each in news]
    assert any(isinstance(each, Entered) and each.resumed for each in seen)
    assert not any(isinstance(each, MediaConnected) for each in seen), "media needs no signaling"


async def test_killed_node_is_replaced(stack: Stack) -> None:
    link = await stack.create_room("Node")
    ada, ada_probe = someone(stack, link, "Ada", COLOURS["red"], 440)
    bob, _ = someone(stack, link, "Bob", COLOURS["purple"], 770)
    async with ada, bob:
        await eventually_receives(ada, ada_probe, bob, COLOURS["purple"], 770)
        victim = ada.node_id
        await stack.kill(victim)
        ada_probe.sources.clear()
        try:
            await ada.until(lambda room: room.node_id != victim and room.media.connected, 20)
            await eventually_receives(ada, ada_probe, bob, COLOURS["purple"], 770)
        finally:
            await stack.start(victim)


async def test_second_client_with_the_host_link_is_the_host(stack: Stack) -> None:
    link = await stack.create_room("Host")
    assert link.host_url is not None
    async with Room.join(link.host_url, "Host", media=False) as host:
        await host.until(lambda room: room.me in room.state.participants)
        assert host.state.participants[host.me].role == room_pb2.ROLE_HOST


async def test_command_line_joins_records_and_reports(stack: Stack, tmp_path: Path) -> None:
    created = await _salon("room", "create", "--site", stack.web_origin, "--title", "From a script", "--json")
    link = json.loads(created)["link"]
    recording = tmp_path / "room.webm"
    async with Room.join(
        link, "Ada", tracks=Tracks(microphone=ToneTrack(500), camera=ColourTrack(COLOURS["orange"]))
    ) as ada:
        arguments = (
            "--name",
            "Script",
            "--duration",
            "4",
            "--record",
            str(recording),
            "--say",
            "hello",
            "--json",
        )
        said = json.loads(await _salon("join", link, *arguments))
        heard = said["received"][ada.me]
        assert close_colours(tuple(heard["colour"]), COLOURS["orange"])
        assert abs(heard["tone"] - 500) < 6
        assert [each.text for each in ada.state.chat] == ["hello"]
    with av.open(str(recording)) as container:
        assert {stream.type for stream in container.streams} == {"audio", "video"}
        assert sum(1 for _ in container.decode(video=0)) > 20


async def test_command_line_says_what_is_wrong_with_a_link(stack: Stack) -> None:
    link = await stack.create_room("Wrong")
    wrong = Link(link.origin, link.room_id, "A" * 22)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "salon_client", "join", wrong.url, "--listen"), stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    assert process.returncode == 1
    assert said.decode().strip().startswith("salon: ")
    assert "Traceback" not in said.decode()


async def _salon(*arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "salon_client", *arguments), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    assert process.returncode == 0
    return said.decode()
