"""The settings of a media node; only `__main__` reads them."""

import ipaddress
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_settings import SettingsConfigDict
from salon_common.settings import Bind, Name, ServiceSettings


def _check_address(text: str) -> str:
    return str(ipaddress.ip_address(text))


Address = Annotated[str, AfterValidator(_check_address)]


class MediaSettings(ServiceSettings):
    """SALON_MEDIA_*."""

    model_config = SettingsConfigDict(env_prefix="SALON_MEDIA_", frozen=True, extra="forbid")

    node_id: Name = Field(description="The node's id, unique in its region.")
    udp_bind: Bind = Field(
        default="0.0.0.0:0",
        description="Address of the one UDP port for media; port 0 takes a free one.",
    )
    advertise: list[Address] = Field(
        default=["127.0.0.1"],
        min_length=1,
        max_length=8,
        description="IP addresses at which clients reach the node, as a JSON list, the best first.",
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
