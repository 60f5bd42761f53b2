import asyncio
from collections.abc import Sequence

from salon_media.engine import EngineReader
from unit.media.fake_engine import FakeEngine


class Log:
    """Notes every event; stumbles over session 13."""

    def __init__(self) -> None:
        self.seen: list[tuple[object, ...]] = []
        self.complete = asyncio.Event()

    def on_dtls(self, session: int, datagram: bytes) -> None:
        if session == 13:
            raise RuntimeError("a bug")
        self.seen.append(("dtls", session, datagram))

    def on_selected(self, session: int) -> None:
        self.seen.append(("selected", session))

    def on_silent(self, session: int) -> None:
        self.seen.append(("silent", session))

    def on_slots(self, session: int, slots: Sequence[tuple[int, int, int, int]]) -> None:
        self.seen.append(("slots", session, slots))

    def on_speakers(self, room: int, sources: Sequence[int], dominant: int) -> None:
        self.seen.append(("speakers", room, sources, dominant))

    def on_failed(self, room: int) -> None:
        self.seen.append(("failed", room))
        self.complete.set()


async def test_every_event_reaches_its_handler_whatever_one_of_them_does() -> None:
    engine, log = FakeEngine(), Log()
    reader = EngineReader(engine, log)
    reader.start()
    engine.tell(
        ("dtls", 13, b"x"),
        ("dtls", 1, b"y"),
        ("selected", 2),
        ("silent", 3),
        ("slots", 4, [(3, 0, 9, 1)]),
        ("speakers", 5, [9], 9),
        ("failed", 6),
    )
    await asyncio.wait_for(log.complete.wait(), 5)
    assert log.seen == [
        ("dtls", 1, b"y"),
        ("selected", 2),
        ("silent", 3),
        ("slots", 4, [(3, 0, 9, 1)]),
        ("speakers", 5, [9], 9),
        ("failed", 6),
    ]
    reader.stop()
    engine.stop()
