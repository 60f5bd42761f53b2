import json
import re
from pathlib import Path

import pytest
from salon_client.run import nats_server
from salon_client.run.apps import NATS_USERS
from salon_client.run.services import Context, media_program, ready_ports, rooms_program, signaling_program

CONTEXT = Context(
    nats_url="nats://127.0.0.1:4222",
    nats_passwords={"rooms": Path("/keys/nats-rooms.password")},
    session_key_file=Path("/keys/session.keys"),
    link_key_file=Path("/keys/link.key"),
    apps_file=Path("/keys/apps.json"),
    web_origins=["http://localhost:8080", "http://127.0.0.1:8080"],
    advertise=["127.0.0.1", "192.0.2.7"],
    extra={"rooms": {"SALON_ROOMS_PARTITIONS": "2"}},
)


def test_replicas_differ_by_name_alone() -> None:
    first, second = (rooms_program(CONTEXT, number) for number in (1, 2))
    assert (first.name, second.name) == ("rooms-1", "rooms-2")
    left, right = first.environment({}), second.environment({})
    assert {key for key in left if left[key] != right[key]} == {"SALON_ROOMS_REPLICA_ID"}
    assert left["SALON_ROOMS_PARTITIONS"] == "2"


def test_ports_are_free_at_first_and_fixed_after() -> None:
    program = signaling_program(CONTEXT, 1)
    assert program.environment({})["SALON_SIGNALING_GRPC_BIND"] == "127.0.0.1:0"
    again = program.environment({"grpc": 4000, "web": 4001, "health": 4002})
    assert again["SALON_SIGNALING_GRPC_BIND"] == "127.0.0.1:4000"
    assert again["SALON_SIGNALING_WEB_BIND"] == "127.0.0.1:4001"
    assert again["SALON_SIGNALING_HEALTH_BIND"] == "127.0.0.1:4002"


def test_signaling_knows_where_links_lead_and_who_may_call() -> None:
    environment = signaling_program(CONTEXT, 1).environment({})
    assert environment["SALON_SIGNALING_LINK_BASE"] == "http://localhost:8080"
    assert json.loads(environment["SALON_SIGNALING_ALLOW_ORIGINS"]) == list(CONTEXT.web_origins)


def test_node_advertises_its_addresses() -> None:
    environment = media_program(CONTEXT, 2).environment({"udp": 5000})
    assert environment["SALON_MEDIA_NODE_ID"] == "media-2"
    assert environment["SALON_MEDIA_UDP_BIND"] == "0.0.0.0:5000"
    assert json.loads(environment["SALON_MEDIA_ADVERTISE"]) == ["127.0.0.1", "192.0.2.7"]


@pytest.mark.parametrize(
    ("output", "ports"),
    [
        ("", None),
        ('{"level": "info"}\n', None),
        ('{"ready": true, "gr', None),
        ('{"level": "info"}\n{"ready": true, "grpc": 1, "health": 2}\n', {"grpc": 1, "health": 2}),
        ('{"ready": true}\n', {}),
    ],
)
def test_service_is_ready_when_it_says_so(output: str, ports: dict[str, int] | None) -> None:
    assert ready_ports(output) == ports


def test_nats_is_ready_when_it_says_so() -> None:
    listening = "[1] [INF] Listening for client connections on 127.0.0.1:41234\n"
    assert nats_server.ready_ports(listening) is None
    assert nats_server.ready_ports(listening + "[1] [INF] Server is ready\n") == {"nats": 41234}


def test_each_service_is_a_user_of_nats_and_its_password_stays_in_a_file() -> None:
    environment = rooms_program(CONTEXT, 1).environment({})
    assert environment["SALON_ROOMS_NATS_URL"] == "nats://127.0.0.1:4222"
    assert environment["SALON_ROOMS_NATS_USER"] == "rooms"
    assert environment["SALON_ROOMS_NATS_PASSWORD_FILE"] == "/keys/nats-rooms.password"


def test_nats_is_configured_for_its_own_directory_with_the_users_of_a_cluster(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("k5ecret\n")
    program = nats_server.nats_program(tmp_path, {"rooms": password})
    server, _, configuration = program.command({"nats": 4222})
    assert Path(server).name == "nats-server"
    text = Path(configuration).read_text()
    assert 'listen: "127.0.0.1:4222"' in text
    assert str(tmp_path / "jetstream") in text
    accounts = (tmp_path / "accounts.conf").read_text()
    for user in NATS_USERS:
        assert re.search(rf"user: {user},?\s+password: \$SALON_NATS_{user.upper()}_PASSWORD\b", accounts)
    assert program.environment({}) == {"SALON_NATS_ROOMS_PASSWORD": "k5ecret"}
