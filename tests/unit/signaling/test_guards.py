"""Who is counted by what."""

import pytest
from salon_common.clock import ManualClock
from salon_common.errors import Code, SalonError, invalid
from salon_signaling.core.limits import Rate
from salon_signaling.guards import Guards, Rates
from unit.signaling.events import ME, OTHER
from unit.signaling.fakes import ROOM

HERE, THERE = "192.0.2.1", "192.0.2.2"
TWO = Rate(1, 2)


@pytest.fixture
def guards(clock: ManualClock) -> Guards:
    return Guards(Rates(address=TWO, room=TWO, failures=TWO, participant=TWO), clock)


def test_addresses_are_apart(guards: Guards) -> None:
    for _ in range(2):
        guards.admit_address(HERE)
    with pytest.raises(SalonError, match="too many requests from your address"):
        guards.admit_address(HERE)
    guards.admit_address(THERE)


def test_a_rooms_links_are_looked_up_at_a_bounded_rate(guards: Guards, clock: ManualClock) -> None:
    guards.admit_lookup(HERE, ROOM)
    guards.admit_lookup(THERE, ROOM)
    with pytest.raises(SalonError, match="opening this link"):
        guards.admit_lookup(THERE, ROOM)
    clock.advance(1)
    guards.admit_lookup(THERE, ROOM)


def test_wrong_links_cost_their_address_alone(guards: Guards, clock: ManualClock) -> None:
    for _ in range(2):
        guards.note_failure(HERE, SalonError(Code.NOT_FOUND, "this link leads nowhere"))
        guards.note_failure(THERE, invalid("name", "is too long"))
    with pytest.raises(SalonError, match="wrong links"):
        guards.admit_lookup(HERE, ROOM)
    guards.admit_lookup(THERE, ROOM)
    clock.advance(1)
    guards.admit_lookup(HERE, ROOM)


def test_participants_are_apart(guards: Guards) -> None:
    for _ in range(2):
        guards.admit_participant(ME)
    with pytest.raises(SalonError, match="too many requests"):
        guards.admit_participant(ME)
    guards.admit_participant(OTHER)
