"""The media nodes of a region, for operators: `async with NodesApi.connect(where) as nodes`.

Asks the rooms service over NATS. Where that is, and as whom to connect: given, or what a running `salon run` wrote into its
directory. Passwords stay in files of their own.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from salon.rooms.v1 import nodes_pb2, nodes_pb2_grpc, presence_pb2
from salon_common import nats
from salon_common.errors import Code, SalonError, SettingsError, invalid
from salon_common.nats_access import NatsAccess, split_url
from salon_common.rpc.nats_channel import NatsChannel

if TYPE_CHECKING:
    # Declared in the generated types alone; at run time one class serves both kinds of channel.
    from salon.rooms.v1.nodes_pb2_grpc import NodesServiceAsyncStub as Stub

RUN_FILE = "run.json"
"""In the directory of `salon run`, while it runs."""
LOGIN = ("SALON_NATS_USER", "SALON_NATS_PASSWORD_FILE", "SALON_NATS_CA_FILE")
"""Variables that say as whom to connect to a NATS that was given, and whom to trust."""
_CONNECT_SECONDS = 3.0


@dataclass(frozen=True)
class Where:
    """A region's NATS."""

    nats: NatsAccess
    region: str


def write_run_file(directory: Path, where: Where) -> None:
    """Say where a running stack's NATS is."""
    path = directory / RUN_FILE
    nats = where.nats
    said = {"nats": nats.url, "region": where.region, "user": nats.user}
    if nats.password_file is not None:
        said["password_file"] = str(nats.password_file)
    path.write_text(json.dumps(said) + "\n")


def find_where(nats_url: str | None, region: str | None, directory: Path) -> Where:
    """What was given, with the user that the environment names, or else what the stack that runs in `directory` wrote down.
    Raises SalonError.
    """
    if nats_url is not None:
        if region is None:
            raise invalid("--region", "is needed with --nats: which region's nodes are meant")
        user, password_file, ca_file = (os.environ.get(name) for name in LOGIN)
        return Where(NatsAccess(nats_url, user, _path(password_file), _path(ca_file)), region)
    path = directory / RUN_FILE
    try:
        said = json.loads(path.read_text())
        access = NatsAccess(said["nats"], said.get("user"), _path(said.get("password_file")))
        return Where(access, region or said["region"])
    except FileNotFoundError:
        raise SalonError(
            Code.UNAVAILABLE,
            f"no Salon runs in {directory}: give --nats and --region, or the --directory of `salon run`",
        ) from None
    except (OSError, ValueError, LookupError, TypeError):
        raise SalonError(Code.UNAVAILABLE, f"{path} cannot be read") from None


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


class NodesApi:
    """The calls."""

    def __init__(self, stub: "Stub") -> None:
        self._stub = stub

    @classmethod
    @asynccontextmanager
    async def connect(cls, where: Where) -> AsyncIterator["NodesApi"]:
        """Raises SalonError UNAVAILABLE when NATS does not answer soon."""
        try:
            client = await asyncio.wait_for(
                nats.connect(where.nats, name="salon-command-line"), _CONNECT_SECONDS
            )
        except SettingsError as error:
            raise SalonError(Code.FAILED_PRECONDITION, str(error)) from None
        except TimeoutError:
            servers = ", ".join(split_url(where.nats.url)[0])
            raise SalonError(Code.UNAVAILABLE, f"NATS at {servers} does not answer") from None
        try:
            stub: Stub = nodes_pb2_grpc.NodesServiceStub(NatsChannel(client, region=where.region))
            yield cls(stub)
        finally:
            await client.close()

    async def list(self) -> Sequence[nodes_pb2.NodeStatus]:
        """All nodes that were heard of lately, by id."""
        return (await self._stub.ListNodes(nodes_pb2.ListNodesRequest())).nodes

    async def set_mode(
        self, node_id: str, mode: "presence_pb2.NodeMode.ValueType", drain_seconds: int = 0
    ) -> nodes_pb2.NodeStatus:
        """Tell a node what it is for: the node, right after."""
        request = nodes_pb2.SetNodeModeRequest(node_id=node_id, mode=mode, drain_seconds=drain_seconds)
        return (await self._stub.SetNodeMode(request)).node
