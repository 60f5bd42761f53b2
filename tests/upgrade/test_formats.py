"""The formats of rooms of this release and the one before it: an upgrade and a rollback find none that they do not know."""

from salon_rooms.core.formats import KNOWN, MADE
from upgrade.releases import formats_before


def test_rooms_that_this_release_makes_are_known_to_the_one_before() -> None:
    _, known_before = formats_before()
    assert known_before >= MADE, "first know a format, and make it a release later: docs/upgrading.md"


def test_rooms_that_the_release_before_made_are_known_to_this_one() -> None:
    made_before, _ = formats_before()
    assert made_before <= KNOWN
