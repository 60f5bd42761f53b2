"""Which ended connections are nodes', and what is no event."""

import json
from typing import Any, cast

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from salon_rooms import metrics
from salon_rooms.core.placement import NodeRef
from salon_rooms.disconnects import Disconnects
from unit.rooms.fake_nats import FakeNats

SUBJECT = "$SYS.ACCOUNT.APP.DISCONNECT"


def bad() -> float:
    return float(metrics.BAD_MESSAGES.labels("disconnect")._value.get())


async def heard(data: bytes) -> list[NodeRef]:
    nats, found = FakeNats(), list[NodeRef]()
    disconnects = Disconnects(cast("Client", nats), "APP", found.append)
    await disconnects.start()
    await nats.callbacks[SUBJECT](Msg(cast("Any", nats), SUBJECT, data=data))
    await disconnects.stop()
    assert nats.callbacks == {}
    return found


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("media-1.0123456789abcdef", [NodeRef("media-1", "0123456789abcdef")]),
        ("media-1", []),
        ("rooms-1", []),
        ("a.b.c", []),
        ("Media.b1", []),
        ("media-1.b1\n", []),
        (".b1", []),
        ("x" * 65 + ".b1", []),
        (7, []),
        ("", []),
    ],
)
async def test_nodes_are_known_by_their_connection_names(name: object, found: list[NodeRef]) -> None:
    before = bad()
    assert await heard(json.dumps({"client": {"name": name}, "reason": "Client Closed"}).encode()) == found
    assert bad() == before


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"client": "media-1.b1"}',
        b"\xff",
        b"[" * 50_000,
        b'{"client": {"name": "media-1.b1"}, "x": "' + b"x" * 70_000 + b'"}',
    ],
)
async def test_what_is_no_event_is_counted(data: bytes) -> None:
    before = bad()
    assert await heard(data) == []
    assert bad() == before + 1


async def test_a_client_without_a_name_is_nobody() -> None:
    assert await heard(b'{"client": {}}') == []
