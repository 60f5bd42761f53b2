"""Two sessions side by side: the rules one by one, and what holds whatever happens in whatever order."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st
from salon_client.core.handover import LINGER_SECONDS, ROSTER_SECONDS, Handover, Release

OLD, NEW = 1, 2
ADA, BOB, EVE = 4, 8, 12
"""Microphones."""
SCREEN = 7


def moving(*, old: frozenset[int] = frozenset({ADA, BOB}), at: float = 10.0) -> Handover:
    """An old session whose node has `old`, and a new one that connects at `at`."""
    handover = Handover()
    handover.handle_session(OLD, 1)
    handover.handle_connected(OLD, 0.0)
    handover.handle_roster(OLD, old, 0.0)
    handover.handle_session(NEW, 2)
    handover.handle_connected(NEW, at)
    return handover


def test_one_session_passes_everything() -> None:
    handover = Handover()
    handover.handle_session(OLD, 1)
    assert handover.shows(OLD, SCREEN)
    assert handover.sounds(OLD, ADA, 0.0)
    handover.handle_connected(OLD, 0.1)
    assert handover.heard == OLD
    assert handover.next_at() is None
    assert handover.take_released(99.0) == []


def test_unknown_session_passes_nothing() -> None:
    handover = Handover()
    assert not handover.shows(OLD, SCREEN)
    assert not handover.sounds(OLD, ADA, 0.0)
    handover.handle_connected(OLD, 0.0)
    handover.handle_roster(OLD, [ADA], 0.0)
    handover.handle_lost(OLD, 0.0)
    assert handover.heard == 0


def test_pictures_change_over_one_by_one() -> None:
    handover = moving()
    assert handover.shows(OLD, 5)
    assert handover.shows(OLD, 9)
    assert handover.shows(NEW, 5)
    assert not handover.shows(OLD, 5)
    assert handover.shows(OLD, 9), "its first frame from the new node has not come"


def test_sound_waits_for_everybody_whom_the_old_node_had() -> None:
    handover = moving()
    handover.handle_roster(NEW, {ADA}, 10.1)
    assert handover.heard == OLD
    handover.handle_roster(NEW, {ADA, BOB, EVE}, 10.3)
    assert handover.heard == NEW
    assert handover.sounds(NEW, ADA, 10.31)
    assert not handover.sounds(OLD, ADA, 10.31)


def test_nobody_waits_for_whoever_has_left_or_came_later() -> None:
    handover = moving()
    handover.handle_roster(OLD, {ADA, BOB, EVE}, 10.1)
    handover.handle_roster(NEW, {ADA}, 10.2)
    assert handover.heard == OLD
    handover.handle_people({ADA, EVE}, 10.3)
    assert handover.heard == NEW, "Bob has left, and Eve was not there when the new session came up"


def test_sound_does_not_wait_for_ever() -> None:
    handover = moving()
    assert handover.next_at() == 10.0 + ROSTER_SECONDS
    assert handover.take_released(10.0 + ROSTER_SECONDS) == []
    assert handover.heard == NEW


def test_sound_waits_until_as_many_voices_come_from_the_new_node() -> None:
    handover = moving()
    assert handover.sounds(OLD, ADA, 10.1)
    assert handover.sounds(OLD, BOB, 10.1)
    handover.handle_roster(NEW, {ADA, BOB}, 10.1)
    assert not handover.sounds(NEW, ADA, 10.12)
    assert handover.sounds(OLD, BOB, 10.13)
    assert handover.sounds(NEW, BOB, 10.14)
    assert not handover.sounds(OLD, ADA, 10.15)


def test_who_has_fallen_silent_is_not_waited_for() -> None:
    handover = moving()
    assert handover.sounds(OLD, ADA, 10.1)
    handover.handle_roster(NEW, {ADA, BOB}, 10.1)
    assert handover.heard == OLD
    assert handover.sounds(NEW, BOB, 10.5)


def test_old_session_goes_on_for_a_moment_and_is_told_the_new_epoch() -> None:
    handover = moving()
    handover.handle_roster(NEW, {ADA, BOB}, 11.0)
    assert handover.next_at() == 11.0 + LINGER_SECONDS
    assert handover.take_released(11.4) == []
    assert handover.take_released(11.0 + LINGER_SECONDS) == [Release(OLD, 2)]
    assert handover.take_released(20.0) == []
    assert handover.next_at() is None


def test_old_session_lost_in_the_middle_hands_everything_over_at_once() -> None:
    handover = moving()
    assert handover.shows(OLD, 5)
    handover.handle_lost(OLD, 10.1)
    assert handover.sounds(NEW, ADA, 10.1)
    assert handover.shows(NEW, 5)
    assert handover.next_at() is None


def test_old_session_lost_before_the_new_one_is_up() -> None:
    handover = Handover()
    handover.handle_session(OLD, 1)
    handover.handle_connected(OLD, 0.0)
    handover.handle_session(NEW, 2)
    handover.handle_lost(OLD, 1.0)
    assert handover.heard == NEW
    handover.handle_connected(NEW, 1.2)
    assert handover.heard == NEW
    assert handover.next_at() is None


def test_new_session_that_fails_leaves_the_old_one_as_it_was() -> None:
    handover = moving()
    assert handover.shows(NEW, 5)
    handover.handle_roster(NEW, {ADA, BOB}, 10.2)
    assert handover.heard == NEW
    handover.handle_lost(NEW, 10.4)
    assert handover.heard == OLD
    assert handover.shows(OLD, 5)
    assert handover.take_released(20.0) == [], "it is not let go any more"


def test_second_move_in_the_middle_of_the_first() -> None:
    handover = moving()
    handover.handle_session(3, 3)
    handover.handle_roster(NEW, {ADA, BOB}, 10.5)
    assert handover.heard == NEW
    handover.handle_connected(3, 10.6)
    handover.handle_roster(3, {ADA}, 10.7)
    assert handover.take_released(11.0) == [Release(OLD, 2)]
    handover.handle_roster(3, {ADA, BOB}, 11.2)
    assert handover.heard == 3
    assert handover.take_released(11.7) == [Release(NEW, 3)]


def test_session_that_comes_up_when_a_newer_one_is_heard_already_is_let_go() -> None:
    handover = Handover()
    handover.handle_session(OLD, 1)
    handover.handle_session(NEW, 2)
    handover.handle_connected(NEW, 1.0)
    handover.handle_connected(OLD, 2.0)
    assert handover.heard == NEW
    assert handover.take_released(2.0 + LINGER_SECONDS) == [Release(OLD, 2)]


# ---- whatever happens


@dataclass
class World:
    """A handover, and what a session of it is beside it."""

    handover: Handover = field(default_factory=Handover)
    now: float = 0.0
    made: int = 0
    alive: dict[int, float | None] = field(default_factory=dict)
    """When each session connected."""
    shown: dict[int, int] = field(default_factory=dict)
    heard_since: float = 0.0

    def make(self) -> None:
        self.made += 1
        self.handover.handle_session(self.made, self.made)
        self.alive[self.made] = None

    def connect(self, session: int) -> None:
        if session in self.alive and self.alive[session] is None:
            self.alive[session] = self.now
            self.handover.handle_connected(session, self.now)

    def lose(self, session: int) -> None:
        if session in self.alive:
            del self.alive[session]
            self.shown = {source: shown for source, shown in self.shown.items() if shown != session}
            self.handover.handle_lost(session, self.now)

    def look(self) -> list[int]:
        released = self.handover.take_released(self.now)
        for each in released:
            assert each.epoch > each.session, "its node hears of a newer epoch than its own"
            del self.alive[each.session]
        return [each.session for each in released]

    def wait(self, seconds: float) -> None:
        """Let time pass, looking whenever asked to."""
        until = self.now + seconds
        while (at := self.handover.next_at()) is not None and at <= until:
            self.now = max(self.now, at)
            self.look()
        self.now = until

    def check(self) -> None:
        up = {each for each, at in self.alive.items() if at is not None}
        heard = [each for each in self.alive if self.handover.sounds(each, ADA, self.now)]
        if self.alive:
            assert len(heard) == 1, "somebody is heard, and nobody twice"
        if up:
            assert heard[0] in up, "it is a session that is up"
        for session in self.alive:
            before = self.shown.get(SCREEN, 0)
            shows = self.handover.shows(session, SCREEN)
            assert shows == (session >= before), "a picture never goes back while the newer session lives"
            if shows:
                self.shown[SCREEN] = session
        if len(up) > 1:
            assert self.handover.next_at() is not None, "it ends by itself"


sessions = st.integers(1, 5)
people = st.frozensets(st.sampled_from([ADA, BOB, EVE]))
steps = st.lists(
    st.one_of(
        st.tuples(st.just("make"), st.none()),
        st.tuples(st.just("connect"), sessions),
        st.tuples(st.just("lose"), sessions),
        st.tuples(st.just("roster"), st.tuples(sessions, people)),
        st.tuples(st.just("people"), people),
        st.tuples(st.just("wait"), st.floats(0.01, 2.0)),
    ),
    max_size=40,
)


@settings(max_examples=300)
@given(steps)
def test_never_twice_never_nobody_and_always_an_end(todo: list[tuple[str, object]]) -> None:
    world = World()
    for step, what in todo:
        if step == "make" and world.made < 5:
            world.make()
        elif step == "connect" and isinstance(what, int):
            world.connect(what)
        elif step == "lose" and isinstance(what, int):
            world.lose(what)
        elif step == "roster" and isinstance(what, tuple):
            world.handover.handle_roster(what[0], what[1], world.now)
        elif step == "people" and isinstance(what, frozenset):
            world.handover.handle_people(what, world.now)
        elif step == "wait" and isinstance(what, float):
            world.wait(what)
        world.check()
    up = [each for each, at in world.alive.items() if at is not None]
    world.wait(ROSTER_SECONDS + LINGER_SECONDS + 0.001)
    left = [each for each, at in world.alive.items() if at is not None]
    assert left == up[-1:], "the newest alone is left"
    world.check()


@given(people, people, people, st.floats(0.0, 5.0))
def test_sound_changes_over_exactly_when_the_rosters_say_so(
    old: frozenset[int], new: frozenset[int], here: frozenset[int], after: float
) -> None:
    handover = moving(old=old)
    handover.handle_people(here, 10.0)
    handover.handle_roster(NEW, new, 10.0)
    handover.take_released(10.0 + after)
    everybody = (old & here) <= new
    assert (handover.heard == NEW) == (everybody or after >= ROSTER_SECONDS)
