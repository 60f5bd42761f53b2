"""What an operator sets, from SALON_ROOMS_* in the environment."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic_settings import SettingsConfigDict
from salon_common.settings import Name, ServiceSettings


def _number(value: object) -> object:
    """The environment is text, of which a Literal makes no number by itself."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


class RoomsSettings(ServiceSettings):
    """Settings of one rooms replica."""

    model_config = SettingsConfigDict(env_prefix="SALON_ROOMS_")

    replica_id: Name = Field(description="This replica's name, different from all others in the region.")
    partitions: int = Field(
        default=1,
        ge=1,
        le=256,
        description="How many streams the rooms are spread over. All replicas must agree, for the life of the region.",
    )
    stream_replicas: Annotated[Literal[1, 3, 5], BeforeValidator(_number)] = Field(
        default=1, description="How many NATS servers keep each stream."
    )
    event_ttl: int = Field(
        default=600, ge=1, description="Seconds for which events are kept for those who come back."
    )
    chat_ttl: int = Field(default=86_400, ge=1, description="Seconds for which chat is kept.")
    nats_account: str = Field(
        default="APP",
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
        description=(
            "The NATS account of the region's services. Where it imports its own DISCONNECT events from the system account, and "
            "this user may subscribe to them, a killed node is noticed in milliseconds."
        ),
    )
    link_key_file: Path | None = Field(
        default=None,
        description=(
            "A file with at least 32 bytes, the same for all replicas, that the first links of a room are derived from. "
            "Without it a retried CreateRoom that reaches another replica is told ALREADY_EXISTS."
        ),
    )
