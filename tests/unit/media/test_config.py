import pytest
from salon_common.errors import SettingsError
from salon_common.settings import read
from salon_media.config import MediaSettings


def test_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALON_MEDIA_NODE_ID", "media-1")
    settings = read(MediaSettings)
    assert settings.udp_bind == "0.0.0.0:0"
    assert settings.advertise == []
    assert settings.ports is None


def test_addresses_are_a_json_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALON_MEDIA_NODE_ID", "media-1")
    monkeypatch.setenv("SALON_MEDIA_ADVERTISE", '["192.0.2.1", "2001:DB8::1"]')
    assert read(MediaSettings).advertise == ["192.0.2.1", "2001:db8::1"]


def test_every_mistake_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALON_MEDIA_ADVERTISE", "10.0.0.1")
    monkeypatch.setenv("SALON_MEDIA_MAX_PARTICIPANTS", "0")
    monkeypatch.setenv("SALON_MEDIA_UDP_BIND", "here")
    monkeypatch.setenv("SALON_MEDIA_PORT_RANGE", "40100-40000")
    with pytest.raises(SettingsError) as caught:
        read(MediaSettings)
    for name in ("NODE_ID", "ADVERTISE", "MAX_PARTICIPANTS", "UDP_BIND", "PORT_RANGE"):
        assert f"SALON_MEDIA_{name}: " in str(caught.value)


def test_a_fixed_port_and_a_range_do_not_go_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALON_MEDIA_NODE_ID", "media-1")
    monkeypatch.setenv("SALON_MEDIA_PORT_RANGE", "40000-40099")
    ports = read(MediaSettings).ports
    assert ports is not None
    assert (ports.first, ports.last) == (40000, 40099)
    monkeypatch.setenv("SALON_MEDIA_UDP_BIND", "0.0.0.0:3478")
    monkeypatch.setenv("SALON_MEDIA_HEALTH_BIND", "0.0.0.0:8081")
    with pytest.raises(SettingsError) as caught:
        read(MediaSettings)
    why = "must have port 0 where SALON_MEDIA_PORT_RANGE is set"
    assert str(caught.value) == f"SALON_MEDIA_UDP_BIND: {why}; SALON_MEDIA_HEALTH_BIND: {why}"
