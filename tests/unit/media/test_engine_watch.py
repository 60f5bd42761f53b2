import pytest
from salon_media import engine
from salon_media.core.engine_watch import STILL_LOOKS, EngineWatch
from unit.media.fake_engine import FakeEngine


def test_a_thread_that_turns_is_well() -> None:
    watch = EngineWatch()
    assert all(watch.look(alive=True, turns=turns) is None for turns in range(100))


def test_a_thread_that_has_ended_is_given_up_at_once() -> None:
    watch = EngineWatch()
    watch.look(alive=True, turns=1)
    assert watch.look(alive=False, turns=2) == "the engine's thread has ended"


def test_a_thread_that_hangs_is_given_up_after_several_looks() -> None:
    watch = EngineWatch()
    watch.look(alive=True, turns=7)
    reasons = [watch.look(alive=True, turns=7) for _ in range(STILL_LOOKS)]
    assert reasons == [None] * (STILL_LOOKS - 1) + ["the engine's thread hangs"]


def test_a_turn_between_two_looks_is_enough() -> None:
    watch = EngineWatch()
    for turns in range(5):
        assert {watch.look(alive=True, turns=turns) for _ in range(STILL_LOOKS)} == {None}


async def test_the_shell_looks_until_it_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "LOOK_SECONDS", 0)
    fake, reasons = FakeEngine(), list[str]()
    fake.alive = False
    await engine.watch_engine(fake, reasons.append)
    assert reasons == ["the engine's thread has ended"]
    fake.stop()
