"""The commands for operators, against a rooms service that plays a script."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from salon.rooms.v1 import nodes_pb2, presence_pb2
from salon_client import cli, nodes_command
from salon_client.nodes import LOGIN, NodesApi, Where, find_where, write_run_file
from salon_common.errors import Code, SalonError
from salon_common.nats_access import NatsAccess

ACTIVE = presence_pb2.NODE_MODE_ACTIVE
CORDONED = presence_pb2.NODE_MODE_CORDONED
DRAINING = presence_pb2.NODE_MODE_DRAINING
WHERE = Where(NatsAccess("nats://127.0.0.1:4222", "operator", Path("/keys/nats-operator.password")), "local")


def node(
    name: str = "media-1",
    people: int = 0,
    rooms: int = 0,
    *,
    mode: Any = ACTIVE,
    deadline: float | None = None,
) -> nodes_pb2.NodeStatus:
    status = nodes_pb2.NodeStatus(
        node_id=name,
        boot_id="b1",
        health=nodes_pb2.NODE_HEALTH_ALIVE,
        mode=mode,
        stress=0.256,
        participants=people,
        placed=people,
        rooms=rooms,
    )
    if deadline is not None:
        status.drain_deadline.FromNanoseconds(int(deadline * 1e9))
    return status


class FakeRooms:
    """In the stub's place."""

    def __init__(self, *lists: Sequence[nodes_pb2.NodeStatus] | SalonError) -> None:
        self.lists = list(lists)
        self.orders: list[tuple[str, int, int]] = []
        self.ordered = asyncio.Event()
        self.last_listed = asyncio.Event()

    async def ListNodes(self, _request: nodes_pb2.ListNodesRequest) -> nodes_pb2.ListNodesResponse:
        if len(self.lists) == 1:
            self.last_listed.set()
        said = self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]
        if isinstance(said, SalonError):
            raise said
        return nodes_pb2.ListNodesResponse(nodes=said)

    async def SetNodeMode(self, request: nodes_pb2.SetNodeModeRequest) -> nodes_pb2.SetNodeModeResponse:
        if request.node_id != "media-1":
            raise SalonError(Code.NOT_FOUND, f"there is no node {request.node_id}")
        self.orders.append((request.node_id, request.mode, request.drain_seconds))
        self.ordered.set()
        deadline = time.time() + request.drain_seconds if request.mode == DRAINING else None
        return nodes_pb2.SetNodeModeResponse(
            node=node(people=4, rooms=2, mode=request.mode, deadline=deadline)
        )


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Have the commands reach a fake, with a stack's file in the working directory."""
    (tmp_path / ".run").mkdir()
    write_run_file(tmp_path / ".run", WHERE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(nodes_command, "LOOK_SECONDS", 0.001)

    def with_rooms(*lists: Sequence[nodes_pb2.NodeStatus] | SalonError) -> FakeRooms:
        fake = FakeRooms(*lists)

        @asynccontextmanager
        async def connect(where: Where) -> AsyncIterator[NodesApi]:
            assert where == WHERE
            yield NodesApi(fake)  # type: ignore[arg-type]

        monkeypatch.setattr(NodesApi, "connect", connect)
        return fake

    return with_rooms


def salon(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["salon", *arguments])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    return int(caught.value.code or 0)


def test_table_shows_every_node(
    serve: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    deadline = time.time() + 100.4
    serve([node("media-1", 12, 4, mode=DRAINING, deadline=deadline), node("media-10", 3, 1)])
    assert salon(monkeypatch, "nodes") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["NODE", "HEALTH", "MODE", "STRESS", "PARTICIPANTS", "ROOMS"]
    assert lines[1].split() == ["media-1", "alive", "draining,", "100", "s", "left", "26%", "12", "4"]
    assert lines[2].split() == ["media-10", "alive", "active", "26%", "3", "1"]
    assert len({line.index("alive") for line in lines[1:]}) == 1


def test_json_is_for_scripts(
    serve: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    serve([node("media-1", 12, 4, mode=DRAINING, deadline=0.0)])
    assert salon(monkeypatch, "nodes", "--json") == 0
    (said,) = json.loads(capsys.readouterr().out)
    assert (said["node"], said["health"], said["mode"]) == ("media-1", "alive", "draining")
    assert (said["participants"], said["rooms"], said["drain_deadline"]) == (12, 4, "1970-01-01T00:00:00Z")


async def test_watching_goes_on_while_nobody_answers(
    serve: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = serve([node()], SalonError(Code.UNAVAILABLE, "nobody serves this now"), [node()], [])
    monkeypatch.setattr(nodes_command, "_WATCH_SECONDS", 0.0)
    watching = asyncio.create_task(nodes_command.show_nodes(WHERE, as_json=True, watch=True))
    await asyncio.wait_for(fake.last_listed.wait(), 5)
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
    said = capsys.readouterr()
    assert len([line for line in said.out.splitlines() if line != "[]"]) == 2
    assert "nobody serves this now; trying again" in said.err


def test_progress_is_one_line_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    progress = nodes_command.Progress()
    for line in ("2 left", "2 left", "1 left"):
        progress.show(line)
    progress.end()
    assert capsys.readouterr().err == "\r\x1b[K2 left\r\x1b[K1 left\n"


def test_drain_is_followed_until_the_node_is_empty(
    serve: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    passing = SalonError(Code.UNAVAILABLE, "nobody serves this now")
    fake = serve([node(people=2, rooms=1, mode=DRAINING)], passing, [node(mode=DRAINING)])
    assert salon(monkeypatch, "drain", "media-1", "--deadline", "30") == 0
    assert fake.orders == [("media-1", DRAINING, 30)]
    said = capsys.readouterr()
    assert said.out == "media-1 is empty\n"
    assert "media-1: 4 participants and 2 rooms left, 30 s until the deadline" in said.err
    assert "media-1: 2 participants and 1 room left" in said.err


def test_drain_that_cuts_people_off_fails(
    serve: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    serve([node(people=1, rooms=1, mode=DRAINING)], [node(people=1, rooms=1, mode=DRAINING)], [])
    clock = iter([0.0, 1e12, 1e12, 1e12])
    monkeypatch.setattr("salon_client.nodes_command.time.time", lambda: next(clock))
    assert salon(monkeypatch, "drain", "media-1") == 1
    assert "the deadline ended the media of 4 participants" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("then", "says"),
    [
        ([], "media-1 ended or died with 4 participants left"),
        (SalonError(Code.UNAVAILABLE, "nobody serves this now"), "nobody serves this now"),
    ],
)
def test_drain_that_cannot_be_followed_fails(
    serve: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], then: Any, says: str
) -> None:
    serve(then)
    monkeypatch.setattr(nodes_command, "_UNANSWERED_SECONDS", 0.01)
    assert salon(monkeypatch, "drain", "media-1") == 1
    assert says in capsys.readouterr().err


def test_drain_that_somebody_ended_says_so(
    serve: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    serve([node(people=4, rooms=2)])
    monkeypatch.setattr("salon_client.core.draining.UNSEEN_SECONDS", 0.01)
    assert salon(monkeypatch, "drain", "media-1") == 1
    assert "media-1 is not being drained any more" in capsys.readouterr().err


async def test_ctrl_c_leaves_the_drain_going_and_says_so(
    serve: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = serve([node(people=2, rooms=1, mode=DRAINING)])
    draining = asyncio.create_task(nodes_command.drain(WHERE, "media-1", 60))
    await asyncio.wait_for(fake.ordered.wait(), 5)
    draining.cancel()
    with pytest.raises(asyncio.CancelledError):
        await draining
    assert "the drain of media-1 goes on; `salon uncordon media-1` ends it" in capsys.readouterr().err
    assert len(fake.orders) == 1


@pytest.mark.parametrize(
    ("command", "mode", "says"),
    [("cordon", CORDONED, "takes no new rooms"), ("uncordon", ACTIVE, "takes rooms and participants")],
)
def test_cordoning(
    serve: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    mode: int,
    says: str,
) -> None:
    fake = serve([])
    assert salon(monkeypatch, command, "media-1") == 0
    assert fake.orders == [("media-1", mode, 0)]
    assert says in capsys.readouterr().out
    assert salon(monkeypatch, command, "media-9") == 1
    assert "there is no node media-9" in capsys.readouterr().err


# ---- where the region is


def test_options_come_before_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in LOGIN:
        monkeypatch.delenv(name, raising=False)
    write_run_file(tmp_path, WHERE)
    assert find_where(None, None, tmp_path) == WHERE
    assert find_where(None, "south", tmp_path) == Where(WHERE.nats, "south")
    elsewhere = "nats://elsewhere:1"
    assert find_where(elsewhere, "north", tmp_path) == Where(NatsAccess(elsewhere), "north")
    for name, value in zip(LOGIN, ("operator", "/password", "/ca.pem"), strict=True):
        monkeypatch.setenv(name, value)
    login = NatsAccess(elsewhere, "operator", Path("/password"), Path("/ca.pem"))
    assert find_where(elsewhere, "north", tmp_path) == Where(login, "north")
    assert find_where(None, None, tmp_path) == WHERE
    with pytest.raises(SalonError, match="--region"):
        find_where(elsewhere, None, tmp_path)


async def test_a_password_that_is_not_there_is_said(tmp_path: Path) -> None:
    access = NatsAccess("nats://127.0.0.1:4222", "operator", tmp_path / "password")
    with pytest.raises(SalonError, match=r"SALON_NATS_PASSWORD_FILE: cannot use .*: No such file"):
        async with NodesApi.connect(Where(access, "local")):
            pass


@pytest.mark.parametrize("text", ["nonsense", "{}", "[]"])
def test_unusable_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(SalonError, match=r"run.json cannot be read"):
        find_where(None, None, tmp_path)


def test_nothing_running_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert salon(monkeypatch, "nodes", "--directory", str(tmp_path)) == 1
    assert f"no Salon runs in {tmp_path}" in capsys.readouterr().err


async def test_nats_that_does_not_answer_is_named(
    monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setattr("salon_client.nodes._CONNECT_SECONDS", 0.3)
    url = f"nats://somebody:secret@127.0.0.1:{unused_tcp_port}"
    with pytest.raises(SalonError, match=f"NATS at nats://127.0.0.1:{unused_tcp_port} does not answer"):
        async with NodesApi.connect(Where(NatsAccess(url), "local")):
            raise AssertionError("connected")
