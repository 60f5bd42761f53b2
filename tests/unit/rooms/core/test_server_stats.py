"""What NATS servers say is read, and what is no such thing is not."""

import json

import pytest
from salon_rooms.core.server_stats import MAX_BYTES, ServerFigures, read_statsz

ANSWER = {
    "server": {"name": "nats-0", "ver": "2.15.1"},
    "statsz": {
        "mem": 14_503_936,
        "cpu": 150,
        "connections": 7,
        "received": {"msgs": 11, "bytes": 100},
        "sent": {"msgs": 13},
        "slow_consumers": 2,
    },
}


def test_a_servers_figures_are_read() -> None:
    figures = ServerFigures(7, 14_503_936, 1.5, 2, 11, 13)
    assert read_statsz(json.dumps(ANSWER).encode()) == ("nats-0", figures)


def test_what_is_left_out_is_nothing() -> None:
    answer = {"server": {"name": "n"}, "statsz": {"received": {}, "sent": {}}}
    assert read_statsz(json.dumps(answer).encode()) == ("n", ServerFigures(0, 0, 0.0, 0, 0, 0))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"server": {"name": "n"}, "statsz": 5}',
        b'{"server": {"name": "n"}, "statsz": {"sent": {}, "received": {"msgs": "many"}}}',
        b"[" * 10_000,
        b" " * (MAX_BYTES + 1),
    ],
)
def test_anything_else_is_not_read(data: bytes) -> None:
    assert read_statsz(data) is None
