"""The services as programs: which settings each gets, and what its line of readiness says.

The names of settings are those of each service's own settings class; ports are 0 at the first start and fixed after it.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from salon_client.run.processes import Ports, Program

REGION = "local"


@dataclass(frozen=True)
class Context:
    """What the services of one stack have in common."""

    nats_url: str
    nats_passwords: Mapping[str, Path]
    """Files by NATS user; each kind of service is a user."""
    session_key_file: Path
    link_key_file: Path
    apps_file: Path
    web_origins: Sequence[str]
    advertise: Sequence[str]
    extra: Mapping[str, Mapping[str, str]]
    """Settings by kind of service, such as `{"rooms": {"SALON_ROOMS_…": "…"}}`: they win."""
    hosts: Mapping[str, str] = field(default_factory=dict)
    """Addresses of media nodes that do not share this machine's, by name."""


def rooms_program(context: Context, number: int) -> Program:
    """One replica of the rooms service."""
    name = f"rooms-{number}"
    settings = {"REPLICA_ID": name, "LINK_KEY_FILE": str(context.link_key_file)}
    return _service("rooms", name, context, lambda _ports: settings)


def signaling_program(context: Context, number: int) -> Program:
    """One replica of the signaling service."""
    name = f"signaling-{number}"

    def settings(ports: Ports) -> dict[str, str]:
        return {
            "REPLICA_ID": name,
            "GRPC_BIND": f"127.0.0.1:{ports.get('grpc', 0)}",
            "WEB_BIND": f"127.0.0.1:{ports.get('web', 0)}",
            "SESSION_KEY_FILE": str(context.session_key_file),
            "APPS_FILE": str(context.apps_file),
            "ALLOW_ORIGINS": json.dumps(list(context.web_origins)),
            "LINK_BASE": context.web_origins[0],
        }

    return _service("signaling", name, context, settings)


def media_program(context: Context, number: int) -> Program:
    """One media node."""
    name = f"media-{number}"
    host = context.hosts.get(name)

    def settings(ports: Ports) -> dict[str, str]:
        here = {"HEALTH_BIND": f"{host}:{ports.get('health', 0)}"} if host else {}
        return here | {
            "NODE_ID": name,
            # The orderly end of the whole is no drain: there is nowhere to move anybody.
            "DRAIN_SECONDS": "0",
            "UDP_BIND": f"0.0.0.0:{ports.get('udp', 0)}",
            "ADVERTISE": json.dumps([host] if host else list(context.advertise)),
        }

    return _service("media", name, context, settings)


def _service(
    kind: str, name: str, context: Context, settings: Callable[[Ports], Mapping[str, str]]
) -> Program:
    prefix = f"SALON_{kind.upper()}_"

    def environment(ports: Ports) -> dict[str, str]:
        common = {
            "REGION": REGION,
            "NATS_URL": context.nats_url,
            "HEALTH_BIND": f"127.0.0.1:{ports.get('health', 0)}",
        }
        if kind in context.nats_passwords:
            common |= {"NATS_USER": kind, "NATS_PASSWORD_FILE": str(context.nats_passwords[kind])}
        named = {prefix + key: value for key, value in (common | dict(settings(ports))).items()}
        return named | dict(context.extra.get(kind, {}))

    return Program(name, lambda _ports: [sys.executable, "-m", f"salon_{kind}"], environment, ready_ports)


def ready_ports(output: str) -> Ports | None:
    """The ports in the one JSON line `{"ready": true, …}` that a service prints when it serves."""
    for line in output.splitlines():
        if line.startswith('{"ready"'):
            try:
                said = json.loads(line)
            except ValueError:
                continue  # half a line: the rest comes with the next read
            return {key: value for key, value in said.items() if key != "ready" and isinstance(value, int)}
    return None
