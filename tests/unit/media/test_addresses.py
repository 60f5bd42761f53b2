"""Where a node says that it can be reached."""

import pytest
from salon_common.errors import SettingsError
from salon_media import addresses
from salon_media.addresses import client_addresses, probe_address
from salon_media.config import MediaSettings

OWN = {"AF_INET": "192.0.2.7", "AF_INET6": "2001:db8::7"}


def node(**settings: object) -> MediaSettings:
    return MediaSettings(node_id="n1", **settings)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def routes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "own_address", lambda family: OWN[family.name])


def test_clients_are_told_what_is_set() -> None:
    assert client_addresses(node(advertise=["203.0.113.9"])) == ["203.0.113.9"]


def test_or_else_where_the_socket_is() -> None:
    assert client_addresses(node()) == ["192.0.2.7"]
    assert client_addresses(node(udp_bind="[::]:0")) == ["192.0.2.7", "2001:db8::7"]
    assert client_addresses(node(udp_bind="10.0.0.1:0")) == ["10.0.0.1"]


def test_a_host_without_a_route_must_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "own_address", lambda _family: None)
    with pytest.raises(SettingsError, match="SALON_MEDIA_ADVERTISE: this host has no route"):
        client_addresses(node())


def test_probes_come_from_within_the_region_whatever_clients_are_told() -> None:
    public = ["203.0.113.9"]
    assert probe_address(node(health_bind="0.0.0.0:0", advertise=public), 4000) == "192.0.2.7:4000"
    assert probe_address(node(health_bind="[2001:db8::1]:0", advertise=public), 4000) == "[2001:db8::1]:4000"
    assert probe_address(node(advertise=public), 4000) == "127.0.0.1:4000"
