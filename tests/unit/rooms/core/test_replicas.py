"""Whose share a room is."""

from collections import Counter

from salon.rooms.v1 import presence_pb2
from salon_rooms.core.replicas import DEAD_AFTER, Replicas


def beat(replica_id: str, *, leaving: bool = False) -> presence_pb2.ReplicaHeartbeat:
    return presence_pb2.ReplicaHeartbeat(replica_id=replica_id, leaving=leaving)


def group(*ids: str) -> dict[str, Replicas]:
    views = {own: Replicas(own) for own in ids}
    for view in views.values():
        for other in ids:
            view.handle_beat(beat(other), 10.0)
    return views


def test_alone_everything_is_ones_own() -> None:
    replicas = Replicas("a")
    assert replicas.alive(0.0) == ["a"]
    assert all(replicas.is_own(f"room-{n}", 0.0) for n in range(20))


def test_each_room_has_one_owner_and_shares_are_even() -> None:
    views = group("a", "b", "c")
    owners = Counter[str]()
    for number in range(600):
        own = [key for key, view in views.items() if view.is_own(f"room-{number}", 11.0)]
        assert len(own) == 1
        owners[own[0]] += 1
    assert min(owners.values()) > 150


def test_only_the_share_of_one_who_goes_changes_hands() -> None:
    views = group("a", "b", "c")
    before = {n: views["a"].is_own(f"room-{n}", 11.0) for n in range(200)}
    for view in views.values():
        view.handle_beat(beat("c", leaving=True), 11.0)
    after = {n: views["a"].is_own(f"room-{n}", 11.0) for n in range(200)}
    assert views["a"].alive(11.0) == ["a", "b"]
    assert all(after[n] for n in before if before[n])
    assert sum(after.values()) > sum(before.values())


def test_who_is_silent_is_gone() -> None:
    views = group("a", "b")
    assert views["a"].alive(10.0 + DEAD_AFTER) == ["a", "b"]
    assert views["a"].alive(10.1 + DEAD_AFTER) == ["a"]
