"""Names and settings of streams."""

from nats.js.api import StorageType
from salon_rooms.store import partition_of
from salon_rooms.streams import all_participants, stream_config, subjects_of
from unit.rooms.kit import ROOM_ID


def test_a_rooms_subjects_are_in_its_partitions_stream() -> None:
    for partitions in (1, 16):
        subjects = subjects_of(ROOM_ID, partitions)
        partition = partition_of(ROOM_ID, partitions)
        assert subjects.stream == f"ROOMS_{partition}"
        assert subjects.head == f"room.{partition}.{ROOM_ID}.head"
        assert subjects.participant("p") == f"room.{partition}.{ROOM_ID}.p.p"
        assert subjects.invite("*") == f"room.{partition}.{ROOM_ID}.inv.*"
        assert subjects.event(7) == f"room.{partition}.{ROOM_ID}.ev.7"
        assert all_participants(partition) == f"room.{partition}.*.p.*"
        assert stream_config(partition, partitions, 1).subjects == [f"room.{partition}.>"]


def test_partitions_are_even_and_fixed_for_ever() -> None:
    counts = [0] * 16
    for number in range(3200):
        counts[partition_of(f"local-{number}", 16)] += 1
    assert min(counts) > 100
    assert partition_of(ROOM_ID, 16) == 15


def test_streams_store_safely() -> None:
    config = stream_config(3, 16, 3)
    assert (config.num_replicas, config.storage, config.max_msgs_per_subject) == (3, StorageType.FILE, 1)
    assert config.allow_atomic
    assert config.allow_direct
    assert config.allow_msg_ttl
    assert config.republish is not None
    assert config.republish.src == "room.3.*.ev.*"
