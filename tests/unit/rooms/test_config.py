"""Settings and the key of links."""

from pathlib import Path

import pytest
from salon_common.errors import SettingsError
from salon_common.settings import read
from salon_rooms.__main__ import KEY_BYTES, read_link_key
from salon_rooms.config import RoomsSettings


def test_defaults_need_only_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="SALON_ROOMS_REPLICA_ID"):
        read(RoomsSettings)
    monkeypatch.setenv("SALON_ROOMS_REPLICA_ID", "r1")
    settings = read(RoomsSettings)
    assert (settings.partitions, settings.stream_replicas, settings.event_ttl, settings.chat_ttl) == (
        1,
        1,
        600,
        86_400,
    )


@pytest.mark.parametrize("wrong", ["2", "", "three", "-1"])
def test_streams_are_kept_once_or_by_an_odd_number_of_servers(
    monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    monkeypatch.setenv("SALON_ROOMS_REPLICA_ID", "r1")
    monkeypatch.setenv("SALON_ROOMS_STREAM_REPLICAS", "3")
    assert read(RoomsSettings).stream_replicas == 3
    monkeypatch.setenv("SALON_ROOMS_STREAM_REPLICAS", wrong)
    with pytest.raises(SettingsError, match="SALON_ROOMS_STREAM_REPLICAS: input should be 1, 3 or 5"):
        read(RoomsSettings)


def test_the_key_of_links_is_read_or_made(tmp_path: Path) -> None:
    assert len(read_link_key(None)) == KEY_BYTES
    assert read_link_key(None) != read_link_key(None)
    file = tmp_path / "key"
    with pytest.raises(SettingsError, match="cannot read"):
        read_link_key(file)
    file.write_bytes(b"short\n")
    with pytest.raises(SettingsError, match="has 5 bytes, at least 32"):
        read_link_key(file)
    file.write_bytes(b"k" * 40 + b"\n")
    assert read_link_key(file) == b"k" * 40
