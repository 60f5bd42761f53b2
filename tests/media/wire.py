"""A path of UDP between one client and a node that can be cut, and that notes what the node sends."""

import asyncio
import re
from collections.abc import Callable

Address = tuple[str, int]
Receive = Callable[[bytes, Address], None]


class Wire:
    """Passes datagrams on in both directions, until it is cut."""

    def __init__(self, node_port: int) -> None:
        self.sent_by_node: list[float] = []
        """When each datagram of the node came, by the loop's clock, also after the cut."""
        self.arrived = asyncio.Event()
        self._node: Address = ("127.0.0.1", node_port)
        self._client: Address | None = None
        self._is_cut = False
        self._to_node: asyncio.DatagramTransport | None = None
        self._to_client: asyncio.DatagramTransport | None = None

    async def open(self) -> None:
        """Begin to pass on."""
        loop = asyncio.get_running_loop()
        self._to_node, _ = await loop.create_datagram_endpoint(
            lambda: _End(self._from_node), local_addr=("127.0.0.1", 0)
        )
        self._to_client, _ = await loop.create_datagram_endpoint(
            lambda: _End(self._from_client), local_addr=("127.0.0.1", 0)
        )

    def cut(self) -> None:
        """Pass nothing on any more: for the node the client has gone without a word."""
        self._is_cut = True

    def close(self) -> None:
        for transport in (self._to_node, self._to_client):
            if transport is not None:
                transport.close()

    def through(self, answer: str) -> str:
        """The answer with this path's address for the node's."""
        assert self._to_client is not None
        port = self._to_client.get_extra_info("sockname")[1]
        return re.sub(r"(a=candidate:.* 127\.0\.0\.1) [0-9]+ typ host", rf"\g<1> {port} typ host", answer)

    def sent_since(self, time: float) -> list[float]:
        """The node's datagrams from then on, in seconds after it."""
        return [at - time for at in self.sent_by_node if at >= time]

    def _from_node(self, datagram: bytes, source: Address) -> None:
        self.sent_by_node.append(asyncio.get_running_loop().time())
        self.arrived.set()
        if self._client is not None and self._to_client is not None and not self._is_cut:
            self._to_client.sendto(datagram, self._client)

    def _from_client(self, datagram: bytes, source: Address) -> None:
        self._client = source
        if self._to_node is not None and not self._is_cut:
            self._to_node.sendto(datagram, self._node)


class _End(asyncio.DatagramProtocol):
    def __init__(self, receive: Receive) -> None:
        self._receive = receive

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._receive(data, addr)
