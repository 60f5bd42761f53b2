"""The life of a service's process: run, be told to stop, say that it is ready."""

import asyncio
import json
import logging
import signal
import sys
from collections.abc import Awaitable, Callable

from salon_common.errors import SettingsError

_log = logging.getLogger(__name__)

STOP_SECONDS = 30.0
"""How long a service may take to drain after it was told to stop."""


def run_service(
    main: Callable[[asyncio.Event], Awaitable[None]], *, stop_seconds: float = STOP_SECONDS
) -> int:
    """Run `main(stop)` and return the exit code: 0, or 1 after an error.

    SIGTERM and SIGINT set `stop`; `main` then drains and returns. A second signal, or `stop_seconds`, cancels it.
    """
    return asyncio.run(_run(main, stop_seconds))


def announce_ready(**ports: int) -> None:
    """Tell whoever started the process, in one line on stdout, that it is ready and where it listens."""
    sys.stdout.write(json.dumps({"ready": True, **ports}) + "\n")
    sys.stdout.flush()


async def _run(main: Callable[[asyncio.Event], Awaitable[None]], stop_seconds: float) -> int:
    stop = asyncio.Event()
    task = asyncio.ensure_future(main(stop))
    loop = asyncio.get_running_loop()

    def on_signal(name: str) -> None:
        if stop.is_set():
            _log.warning("told to stop again: ending at once", extra={"signal": name})
            task.cancel()
            return
        _log.info("told to stop: draining", extra={"signal": name})
        stop.set()
        loop.call_later(stop_seconds, task.cancel)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number.name)
    try:
        await task
    except SettingsError as error:
        _log.error("%s", error)
        return 1
    except asyncio.CancelledError:
        _log.warning("ended before everything was drained")
        return 1
    except Exception:  # noqa: BLE001 - whatever it was becomes a log line and an exit code
        _log.exception("the service failed")
        return 1
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
    return 0
