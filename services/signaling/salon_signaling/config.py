"""Settings of the signaling service, read from SALON_SIGNALING_* once at the start."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict
from salon_common.settings import Bind, Name, Region, ServiceSettings


class SignalingSettings(ServiceSettings):
    """What a signaling replica is told."""

    model_config = SettingsConfigDict(env_prefix="SALON_SIGNALING_")

    replica_id: Name = Field(description="This replica's id, unique in its region.")
    regions: tuple[Region, ...] = Field(
        default=(), description="Other regions whose rooms can be joined here, as a JSON list."
    )
    grpc_bind: Bind = Field(default="127.0.0.1:0", description="Address for gRPC clients.")
    web_bind: Bind = Field(default="127.0.0.1:0", description="Address for browsers: Connect and gRPC-Web.")
    session_key_file: Path = Field(
        description="Keys of session tokens, one a line, hexadecimal or raw, at least 32 bytes: the first signs, all verify."
    )
    apps_file: Path | None = Field(
        default=None, description="The apps that may start rooms, with their public keys; none without it."
    )
    allow_origins: tuple[str, ...] = Field(
        default=(), description="Origins of web pages that may call, as a JSON list; * for any."
    )
    link_base: str = Field(
        default="",
        pattern=r"^(https?://\S*[^/\s])?$",
        description="Where the web app is: links begin with it.",
    )
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = Field(
        default=(), description="Proxies whose x-forwarded-for is believed, as a JSON list of networks."
    )

    rooms_timeout: float = Field(
        default=2.5, gt=0, le=10, description="Seconds for a call to rooms, with its one retry."
    )
    admit_timeout: float = Field(
        default=0.5, gt=0, le=10, description="Seconds for the first node to admit a participant."
    )
    second_admit_timeout: float = Field(
        default=2.0,
        gt=0,
        le=10,
        description="Seconds for the second node, and for the new one of who is moved.",
    )
    keepalive: float = Field(default=5.0, gt=0, le=15, description="Seconds of silence before a keepalive.")
    token_lifetime: float = Field(
        default=600.0,
        ge=10,
        le=3600,
        description="Seconds that a session token works; renewed at half of it.",
    )
    drain_seconds: float = Field(
        default=5.0, ge=0, le=60, description="Seconds that calls under way may take after SIGTERM."
    )

    address_rate: float = Field(
        default=100.0, gt=0, description="Requests a second from one address without a session token."
    )
    address_burst: float = Field(default=2000.0, ge=1, description="As many of those at once.")
    room_rate: float = Field(default=50.0, gt=0, description="Links of one room opened a second.")
    room_burst: float = Field(default=500.0, ge=1, description="As many of those at once.")
    failure_rate: float = Field(default=0.5, gt=0, description="Wrong links a second from one address.")
    failure_burst: float = Field(default=30.0, ge=1, description="As many of those at once.")
    participant_rate: float = Field(default=20.0, gt=0, description="Calls a second of one participant.")
    participant_burst: float = Field(default=100.0, ge=1, description="As many of those at once.")
