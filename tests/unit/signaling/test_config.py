"""Settings: what is required, and how mistakes are told."""

import re
from pathlib import Path

import pytest
from salon_common.errors import SettingsError
from salon_common.settings import read
from salon_signaling.config import SignalingSettings


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    monkeypatch.setenv("SALON_SIGNALING_REPLICA_ID", "signaling-1")
    monkeypatch.setenv("SALON_SIGNALING_SESSION_KEY_FILE", str(tmp_path / "key"))
    return monkeypatch


def test_little_is_required() -> None:
    settings = read(SignalingSettings)
    assert settings.region == "local"
    assert settings.apps_file is None
    assert settings.link_base == ""


def test_lists_are_json(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SALON_SIGNALING_ALLOW_ORIGINS", '["http://localhost:1"]')
    environment.setenv("SALON_SIGNALING_TRUSTED_PROXIES", '["10.0.0.0/8"]')
    settings = read(SignalingSettings)
    assert settings.allow_origins == ("http://localhost:1",)
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.0/8"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LINK_BASE", "http://localhost:1/"),
        ("LINK_BASE", "ftp://x"),
        ("KEEPALIVE", "16"),
        ("GRPC_BIND", "nowhere"),
        ("REPLICA_ID", "A"),
        ("TRUSTED_PROXIES", '["x"]'),
        ("GRPC_PORT", "1"),
    ],
)
def test_mistakes_are_named(environment: pytest.MonkeyPatch, name: str, value: str) -> None:
    environment.setenv(f"SALON_SIGNALING_{name}", value)
    with pytest.raises(SettingsError, match=re.escape(f"SALON_SIGNALING_{name}")):
        read(SignalingSettings)
