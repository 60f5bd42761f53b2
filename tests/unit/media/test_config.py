import pytest
from salon_common.errors import SettingsError
from salon_common.settings import read
from salon_media.config import MediaSettings


def test_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALON_MEDIA_NODE_ID", "media-1")
    settings = read(MediaSettings)
    assert settings.udp_bind == "0.0.0.0:0"
    assert settings.advertise == ["127.0.0.1"]


def test_addresses_are_a_json_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALON_MEDIA_NODE_ID", "media-1")
    monkeypatch.setenv("SALON_MEDIA_ADVERTISE", '["192.0.2.1", "2001:DB8::1"]')
    assert read(MediaSettings).advertise == ["192.0.2.1", "2001:db8::1"]


def test_every_mistake_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALON_MEDIA_ADVERTISE", "[]")
    monkeypatch.setenv("SALON_MEDIA_MAX_PARTICIPANTS", "0")
    monkeypatch.setenv("SALON_MEDIA_UDP_BIND", "here")
    with pytest.raises(SettingsError) as caught:
        read(MediaSettings)
    for name in ("NODE_ID", "ADVERTISE", "MAX_PARTICIPANTS", "UDP_BIND"):
        assert f"SALON_MEDIA_{name}: " in str(caught.value)
