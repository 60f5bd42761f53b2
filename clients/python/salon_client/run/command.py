"""`salon run` as people see it: progress, the link, news, and an orderly end on Ctrl-C."""

import asyncio
import signal
import sys
import time
from typing import Any

import typer

from salon_client.link import Link
from salon_client.run.follow import follow_logs
from salon_client.run.stack import Stack

_DEMO_TITLE = "Demo room"


async def run_stack(stack: Stack, *, follow: bool) -> None:
    """Run until SIGINT or SIGTERM, with `follow` showing the services' logs. Raises SalonError or SettingsError when something cannot start."""
    stop = asyncio.Event()
    following: asyncio.Task[None] | None = None
    _on_signals(stop, stack)
    began = time.monotonic()
    _say("starting NATS, rooms, signaling and media …")
    stack.on_news = lambda line: typer.secho(line, fg="yellow", err=True)
    starting = asyncio.ensure_future(stack.__aenter__())
    try:
        if not await _unless(stop, starting):
            return
        link = await stack.create_room(_DEMO_TITLE)
        _announce(stack, link, time.monotonic() - began)
        if follow:
            following = asyncio.create_task(follow_logs({name: stack.log_path(name) for name in stack.names}))
        await stop.wait()
    finally:
        _say("stopping …")
        await stack.stop()
        if following is not None:
            following.cancel()
        _say("stopped: nothing is left running")


async def _unless(stop: asyncio.Event, work: "asyncio.Future[Stack]") -> bool:
    """Finish `work` unless told to stop first; whether it was finished."""
    stopping = asyncio.ensure_future(stop.wait())
    both: set[asyncio.Future[Any]] = {stopping, work}
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            await work
            return True
        return False
    finally:
        stopping.cancel()
        work.cancel()
        await asyncio.gather(stopping, work, return_exceptions=True)


def _on_signals(stop: asyncio.Event, stack: Stack) -> None:
    """The first signal stops in order, a second one at once."""

    def receive() -> None:
        if stop.is_set():
            stack.hurry()
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, receive)


def _announce(stack: Stack, link: Link, seconds: float) -> None:
    parts = ", ".join(f"{count} {kind}" for kind, count in stack.counts.items())
    logs = stack.log_path("nats").parent
    lines = [
        "",
        typer.style("  Salon is running.", bold=True) + f"  ({parts}, NATS; up in {seconds:.1f} s)",
        "",
        "  Open this link, here and in a second window:",
        "",
        "    " + typer.style(link.url, fg="green", bold=True),
        "",
        f"  Start page   {stack.web_origin}/",
        f"  Command line salon join '{link.url}' --name Ada",
        f"  Logs         {logs}",
        f"  Media        UDP at {', '.join(stack.advertise)}",
        "",
        "  Ctrl-C stops everything.",
        "",
    ]
    typer.echo("\n".join(lines))
    sys.stdout.flush()


def _say(line: str) -> None:
    typer.secho(line, dim=True, err=True)
