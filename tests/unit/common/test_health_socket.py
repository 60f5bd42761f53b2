"""Probes by a program, over the Unix socket of a process whose port nobody knows beforehand."""

import asyncio
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from salon_common import probe
from salon_common.errors import SettingsError
from salon_common.health import HealthServer


@pytest.fixture
def path() -> Iterator[Path]:
    """Short: the name of a socket has at most 107 bytes."""
    with TemporaryDirectory() as directory:
        yield Path(directory, "health.sock")


async def test_the_socket_answers_as_the_port_does(path: Path) -> None:
    server = HealthServer("127.0.0.1:0", unix=path)
    server.add_check("started", lambda: False)
    await server.start()
    assert await asyncio.to_thread(probe.ask, str(path), "livez") == (True, "alive")
    good, said = await asyncio.to_thread(probe.ask, str(path), "readyz")
    assert not good
    assert said == '{"ready": false, "checks": {"started": false}, "information": {}}'
    await server.stop()
    assert not path.exists()  # noqa: ASYNC240 - a moment


async def test_the_program_says_it_by_its_exit_code(path: Path) -> None:
    server = HealthServer("127.0.0.1:0", unix=path)
    server.add_check("started", lambda: False)
    await server.start()
    for page, code, said in (
        ("livez", 0, b"alive\n"),
        ("readyz", 1, b'{"ready": false'),
        ("metrics", 2, b"usage"),
    ):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "salon_common.probe", str(path), page), stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate()
        assert (process.returncode, output[: len(said)], output.count(b"\n")) == (code, said, 1)
    await server.stop()


def test_nobody_there_is_no(path: Path) -> None:
    assert probe.ask(str(path), "livez") == (False, f"{path}: No such file or directory")


def test_a_process_that_hangs_is_no(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "SECONDS", 0.05)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as hung:
        hung.bind(str(path))
        hung.listen()
        assert probe.ask(str(path), "livez") == (False, f"{path}: timed out")


async def test_what_a_killed_process_left_is_replaced_and_a_living_one_is_not(path: Path) -> None:
    left = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    left.bind(str(path))
    left.close()
    first, second = (HealthServer("127.0.0.1:0", unix=path) for _ in range(2))
    await first.start()
    with pytest.raises(
        SettingsError, match=r"health: cannot listen on .*health.sock \(Address already in use\)"
    ):
        await second.start()
    assert (await asyncio.to_thread(probe.ask, str(path), "livez"))[0]
    await first.stop()
