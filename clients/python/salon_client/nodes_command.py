"""`salon nodes`, `salon drain`, `salon cordon` and `salon uncordon` as people and scripts see them."""

import asyncio
import json
import logging
import sys
import time
from collections.abc import Sequence
from typing import Any

import typer
from salon.rooms.v1 import nodes_pb2, presence_pb2
from salon_common.errors import Code, SalonError

from salon_client.core.draining import Drain, DrainWatch, Left
from salon_client.nodes import NodesApi, Where

LOOK_SECONDS = 0.5
_WATCH_SECONDS = 1.0
_UNANSWERED_SECONDS = 15.0
"""The rooms service may be away for so long while a drain is followed."""
_COLUMNS = ("NODE", "HEALTH", "MODE", "STRESS", "PARTICIPANTS", "ROOMS")


async def show_nodes(where: Where, *, as_json: bool, watch: bool) -> None:
    """Print all nodes once, or each second until Ctrl-C. Raises SalonError."""
    quiet_nats()
    async with NodesApi.connect(where) as api:
        if not watch:
            _print_nodes(await api.list(), as_json=as_json)
        while watch:
            try:
                nodes = await api.list()
                if sys.stdout.isatty():
                    typer.echo("\x1b[2J\x1b[H", nl=False)
                _print_nodes(nodes, as_json=as_json)
            except SalonError as error:
                typer.secho(f"{error}; trying again", fg="yellow", err=True)
            await asyncio.sleep(_WATCH_SECONDS)


def _print_nodes(nodes: Sequence[nodes_pb2.NodeStatus], *, as_json: bool) -> None:
    typer.echo(json.dumps([node_json(each) for each in nodes]) if as_json else table(nodes, time.time()))


async def set_mode(where: Where, node_id: str, mode: "presence_pb2.NodeMode.ValueType") -> None:
    """Cordon or uncordon a node. Raises SalonError."""
    quiet_nats()
    async with NodesApi.connect(where) as api:
        await api.set_mode(node_id, mode)
    effect = {
        presence_pb2.NODE_MODE_CORDONED: "takes no new rooms; those it has go on",
        presence_pb2.NODE_MODE_ACTIVE: "takes rooms and participants",
    }[mode]
    typer.echo(f"{node_id} {effect}")


async def drain(where: Where, node_id: str, seconds: int) -> None:
    """Have a node emptied, and follow it to the end. Raises SalonError unless nobody was cut off."""
    quiet_nats()
    async with NodesApi.connect(where) as api:
        told = await api.set_mode(node_id, presence_pb2.NODE_MODE_DRAINING, seconds)
        try:
            await _follow(api, DrainWatch(told, time.time()), node_id)
        except asyncio.CancelledError:
            line = f"the drain of {node_id} goes on; `salon uncordon {node_id}` ends it"
            typer.secho(f"\n{line}", fg="yellow", err=True)
            raise


async def _follow(api: NodesApi, watch: DrainWatch, node_id: str) -> None:
    progress = Progress()
    loop = asyncio.get_running_loop()
    answered_at = loop.time()
    while True:
        progress.show(f"{node_id}: {describe(watch.left)}")
        try:
            how = watch.look(await api.list(), time.time())
            answered_at = loop.time()
        except SalonError:
            if loop.time() - answered_at > _UNANSWERED_SECONDS:
                raise
            how = Drain.GOING_ON
        if how is not Drain.GOING_ON:
            break
        await asyncio.sleep(LOOK_SECONDS)
    progress.end()
    if how is Drain.EMPTY:
        typer.echo(f"{node_id} is empty")
        return
    raise SalonError(Code.ABORTED, failure(node_id, how, watch))


def failure(node_id: str, how: Drain, watch: DrainWatch) -> str:
    """Why the node was not emptied, in one sentence."""
    if how is Drain.CUT:
        return f"{node_id}: the deadline ended the media of {count(watch.cut or watch.left.people, 'participant')}"
    if how is Drain.STOPPED:
        return f"{node_id} is not being drained any more: somebody told it something else"
    return f"{node_id} ended or died with {count(watch.left.people, 'participant')} left"


def describe(left: Left) -> str:
    """What is left, for people."""
    people, rooms = count(left.people, "participant"), count(left.rooms, "room")
    return f"{people} and {rooms} left, {left.seconds:.0f} s until the deadline"


def count(number: int, noun: str) -> str:
    """`1 room`, `2 rooms`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def table(nodes: Sequence[nodes_pb2.NodeStatus], now: float) -> str:
    """All nodes, aligned."""
    rows = [
        (
            each.node_id,
            _word(nodes_pb2.NodeHealth.Name(each.health)),
            _mode(each, now),
            f"{each.stress:.0%}",
            str(each.participants),
            str(each.rooms),
        )
        for each in nodes
    ]
    widths = [max(map(len, column)) for column in zip(_COLUMNS, *rows, strict=True)]
    numbers = _COLUMNS.index("STRESS")
    lines = []
    for row in (_COLUMNS, *rows):
        cells = [
            cell.rjust(width) if index >= numbers else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def node_json(node: nodes_pb2.NodeStatus) -> dict[str, Any]:
    """One node, for scripts."""
    deadline = node.drain_deadline.ToJsonString() if node.HasField("drain_deadline") else None
    return {
        "node": node.node_id,
        "boot": node.boot_id,
        "health": _word(nodes_pb2.NodeHealth.Name(node.health)),
        "mode": _word(presence_pb2.NodeMode.Name(node.mode)),
        "drain_deadline": deadline,
        "stress": node.stress,
        "participants": node.participants,
        "placed": node.placed,
        "rooms": node.rooms,
    }


def _mode(node: nodes_pb2.NodeStatus, now: float) -> str:
    word = _word(presence_pb2.NodeMode.Name(node.mode))
    if not node.HasField("drain_deadline"):
        return word
    return f"{word}, {max(0.0, node.drain_deadline.ToNanoseconds() / 1e9 - now):.0f} s left"


def _word(name: str) -> str:
    """`NODE_MODE_DRAINING` as `draining`."""
    return name.split("_", 2)[2].lower()


class Progress:
    """One line that changes on a terminal; a line a change elsewhere."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._shown = ""

    def show(self, line: str) -> None:
        """Show how it is now."""
        if line == self._shown:
            return
        self._shown = line
        typer.echo(f"\r\x1b[K{line}" if self._terminal else line, nl=not self._terminal, err=True)

    def end(self) -> None:
        """What is printed next begins a line."""
        if self._terminal and self._shown:
            typer.echo(err=True)


def quiet_nats() -> None:
    """What cannot be reached is said once, by the command."""
    logging.getLogger("salon_common.nats").setLevel(logging.CRITICAL)
