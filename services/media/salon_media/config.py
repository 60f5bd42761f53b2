"""The settings of a media node; only `__main__` reads them."""

import ipaddress
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_settings import SettingsConfigDict
from salon_common.net import PortRange, parse_bind
from salon_common.settings import Bind, Name, ServiceSettings, variable


def _check_address(text: str) -> str:
    return str(ipaddress.ip_address(text))


Address = Annotated[str, AfterValidator(_check_address)]


def _check_range(text: str) -> str:
    PortRange.parse(text)
    return text


Range = Annotated[str, AfterValidator(_check_range)]
"""Ports, `first-last`."""


class MediaSettings(ServiceSettings):
    """SALON_MEDIA_*."""

    model_config = SettingsConfigDict(env_prefix="SALON_MEDIA_", frozen=True, extra="forbid")

    node_id: Name = Field(description="The node's id, unique in its region.")
    udp_bind: Bind = Field(
        default="0.0.0.0:0",
        description="Address of the one UDP port for media; port 0 takes a free one.",
    )
    port_range: Range | None = Field(
        default=None,
        description=(
            "Where UDP_BIND's and HEALTH_BIND's ports are taken from, `first-last`: a free one each, so that nodes share a host "
            "without being told of one another."
        ),
    )
    advertise: list[Address] = Field(
        default=[],
        max_length=8,
        description=(
            "IP addresses at which clients reach the node, as a JSON list, the best first; without any, the one by which this "
            "host reaches others."
        ),
    )
    max_participants: int = Field(
        default=400,
        ge=1,
        le=10_000,
        description="How many participants the node takes; beyond it answers RESOURCE_EXHAUSTED.",
    )
    drain_seconds: float = Field(
        default=120.0,
        ge=0,
        le=86_400,
        description="Seconds after SIGTERM in which the node's people are moved elsewhere; 0 ends at once.",
    )

    @property
    def ports(self) -> PortRange | None:
        """`port_range`, read."""
        return PortRange.parse(self.port_range) if self.port_range else None

    def conflicts(self) -> Iterator[tuple[str, str]]:
        """As in every service, and the ports."""
        yield from super().conflicts()
        for field in ("udp_bind", "health_bind"):
            _, port = parse_bind(getattr(self, field))
            if self.port_range is not None and port != 0:
                yield field, f"must have port 0 where {variable(type(self), 'port_range')} is set"
