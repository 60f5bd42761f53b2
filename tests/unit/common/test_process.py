"""A service's life: exit codes, signals, and the line that says ready. Run in this process, whose signals it takes."""

import asyncio
import json
import logging
import os
import signal

import pytest
from salon_common.errors import SettingsError
from salon_common.process import announce_ready, run_service


def test_a_service_that_returns_exits_with_0() -> None:
    async def main(stop: asyncio.Event) -> None:
        assert not stop.is_set()

    assert run_service(main) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_sets_the_event(number: signal.Signals) -> None:
    async def main(stop: asyncio.Event) -> None:
        os.kill(os.getpid(), number)
        await stop.wait()

    assert run_service(main) == 0


def test_a_second_signal_ends_it_at_once() -> None:
    async def main(stop: asyncio.Event) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await stop.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()

    assert run_service(main) == 1


def test_draining_has_a_deadline() -> None:
    async def main(stop: asyncio.Event) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()

    assert run_service(main, stop_seconds=0.05) == 1


def test_a_settings_error_is_one_line_without_a_traceback(caplog: pytest.LogCaptureFixture) -> None:
    async def main(stop: asyncio.Event) -> None:
        raise SettingsError("web: cannot listen on 127.0.0.1:80")

    assert run_service(main) == 1
    (record,) = caplog.records
    assert (record.levelno, record.getMessage(), record.exc_info) == (
        logging.ERROR,
        "web: cannot listen on 127.0.0.1:80",
        None,
    )


def test_any_other_error_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    async def main(stop: asyncio.Event) -> None:
        raise ValueError("odd")

    assert run_service(main) == 1
    assert caplog.records[-1].exc_info


def test_ready_is_one_json_line(capsys: pytest.CaptureFixture[str]) -> None:
    announce_ready(grpc=1234, health=1236)
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {"ready": True, "grpc": 1234, "health": 1236}
