"""The engine's module is what `_salon_media.pyi` says it is."""

import ast
import inspect
import select
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import _salon_media
import pytest
from _salon_media import Engine

CONTRACT = Path(__file__).parents[3] / "services/media/engine/python/_salon_media.pyi"


@dataclass(frozen=True)
class Codec:
    payload_type: int = 111
    name: str = "opus"
    clock_rate: int = 48_000
    rtx_payload_type: int | None = None


@dataclass(frozen=True)
class Send:
    source: int = 4
    kind: int = 1
    mid: str = "0"
    rids: list[str] = field(default_factory=list)
    ssrcs: list[tuple[int, int | None]] = field(default_factory=list)
    codecs: list[Codec] = field(default_factory=lambda: [Codec()])
    extensions: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Slot:
    kind: int = 1
    index: int = 0
    ssrc: int = 1
    rtx_ssrc: int | None = None
    codecs: list[Codec] = field(default_factory=lambda: [Codec()])


@dataclass(frozen=True)
class Session:
    session: int = 1
    room: int = 1
    local_ufrag: str = "node"
    local_pwd: str = "a password of the node's"
    remote_ufrag: str = "them"
    cname: str = "cname"
    sends: list[Send] = field(default_factory=lambda: [Send()])
    slots: list[Slot] = field(default_factory=lambda: [Slot()])


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine("127.0.0.1", 0, silent_after=0.01, seed=1)
    yield engine
    engine.stop()


def contract() -> dict[str, ast.FunctionDef]:
    module = ast.parse(CONTRACT.read_text())
    (engine,) = (node for node in module.body if isinstance(node, ast.ClassDef) and node.name == "Engine")
    return {node.name: node for node in engine.body if isinstance(node, ast.FunctionDef)}


def is_property(function: ast.FunctionDef) -> bool:
    return any(
        isinstance(decorator, ast.Name) and decorator.id == "property"
        for decorator in function.decorator_list
    )


def test_the_engine_has_the_members_of_its_contract_and_no_others() -> None:
    members = {name for name in vars(Engine) if not name.startswith("_")}
    assert members == set(contract()) - {"__init__"}


@pytest.mark.parametrize("name", [name for name, function in contract().items() if not is_property(function)])
def test_parameters_are_those_of_the_contract(name: str) -> None:
    member = Engine if name == "__init__" else getattr(Engine, name)
    parameters = [name for name in inspect.signature(member).parameters if name != "self"]
    arguments = contract()[name].args
    assert parameters == [
        argument.arg for argument in (*arguments.args, *arguments.kwonlyargs) if argument.arg != "self"
    ]


def test_it_exports_the_engine_alone() -> None:
    assert inspect.isclass(_salon_media.Engine)


def test_a_port_that_is_taken_is_an_error_of_the_system(engine: Engine) -> None:
    with pytest.raises(OSError, match="in use"):
        Engine("127.0.0.1", engine.port)
    with pytest.raises(OSError, match="not an IP address"):
        Engine("localhost", 0)


def test_events_make_the_descriptor_readable_until_they_are_taken(engine: Engine) -> None:
    engine.open_session(Session())
    assert select.select([engine.event_fd], [], [], 10)[0]
    assert engine.take_events() == [("silent", 1)]
    assert not select.select([engine.event_fd], [], [], 0)[0]


def test_rubbish_is_counted(engine: Engine) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"rubbish", ("127.0.0.1", engine.port))
    engine.open_session(Session())
    assert select.select([engine.event_fd], [], [], 10)[0]
    counters = engine.counters()
    assert counters["datagrams_in"] == 1
    assert counters["bytes_in"] == len(b"rubbish")
    assert counters["drop_unknown_protocol"] == 1


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        (Session(local_ufrag="abc"), "local_ufrag"),
        (Session(local_pwd="short"), "local_pwd"),
        (Session(sends=[Send(kind=9)]), r"sends\[0\]"),
        (Session(slots=[Slot(), Slot(kind=0, index=1, ssrc=2)]), r"slots\[1\]"),
        (Session(sends=[Send(source=0)]), "number 0"),
        (Session(sends=[Send(), Send()]), "same source"),
        (Session(slots=[Slot(), Slot(index=1)]), "same source, SSRC"),
        (Session(sends=[Send(kind=2)]), "no codec"),
        (Session(sends=[replace(Send(), codecs=[Codec(name="g722", clock_rate=8000)])]), "no codec"),
        (Session(slots=[Slot(index=index, ssrc=index) for index in range(41)]), "more sections"),
    ],
)
def test_a_spec_that_contradicts_itself_is_refused(engine: Engine, spec: Session, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        engine.open_session(spec)


@pytest.mark.parametrize(
    ("profile", "key", "salt"),
    [(1, 16, 14), (7, 16, 12), (8, 32, 12)],
    ids=["CM-SHA1-80", "GCM-128", "GCM-256"],
)
def test_keys_must_fit_their_profile(engine: Engine, profile: int, key: int, salt: int) -> None:
    engine.set_keys(1, profile, bytes(key), bytes(salt), bytes(key), bytes(salt))
    for wrong in (profile + 1 if profile == 1 else 2, 0):
        with pytest.raises(ValueError, match="profile"):
            engine.set_keys(1, wrong, bytes(key), bytes(salt), bytes(key), bytes(salt))
    with pytest.raises(ValueError, match="length"):
        engine.set_keys(1, profile, bytes(key - 1), bytes(salt), bytes(key), bytes(salt))


def test_sizes_are_bounded(engine: Engine) -> None:
    for datagram in (b"", bytes(2049)):
        with pytest.raises(ValueError, match="datagram"):
            engine.send_dtls(1, datagram)
    with pytest.raises(ValueError, match="wishes"):
        engine.set_layout(1, [(0, 1, 2)] * 65)


def test_after_the_end_nothing_happens() -> None:
    engine = Engine("127.0.0.1", 0)
    engine.stop()
    engine.stop()
    engine.close_session(1)
    engine.open_session(Session())
    assert engine.take_events() == []
