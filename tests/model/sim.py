"""Simulated time: one queue of events, and processes whose coroutines run on it.

Nothing here waits, and nothing is random: the same actions in the same order give the same run. A process can be frozen (what
falls due meanwhile happens at once when it goes on, as after SIGSTOP and SIGCONT) and crash (nothing of it happens any more).
"""

import heapq
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from salon_common.errors import SalonError
from salon_rooms.store import StoreConflict, StoreUnavailable, StoreUnheard

T = TypeVar("T")
EXPECTED = (SalonError, TimeoutError, StoreConflict, StoreUnheard, StoreUnavailable)
"""What a task may end with: whoever awaits it gets it. Anything else is a bug or a violation, and ends the run."""
Action = Callable[[], object]
"""What it returns is of no interest."""


@dataclass(order=True)
class _Event:
    at: float
    order: int
    action: Action = field(compare=False)


class Simulation:
    """The clock, and everything that is going to happen."""

    def __init__(self) -> None:
        self.now = 100.0
        self.steps = 0
        self.after_step: Action = lambda: None
        """Called after each event: where invariants are looked at."""
        self._queue: list[_Event] = []
        self._order = 0

    def at(self, delay: float, action: Action) -> None:
        """Have something happen after `delay` seconds; what is due at the same instant happens in the order of these calls."""
        self._order += 1
        heapq.heappush(self._queue, _Event(self.now + max(0.0, delay), self._order, action))

    def run(self, seconds: float) -> None:
        """Let so much time pass."""
        until = self.now + seconds
        while self._queue and self._queue[0].at <= until:
            self.step()
        self.now = until

    def run_until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Let time pass until the condition holds; whether it came to hold within `seconds`."""
        until = self.now + seconds
        while not condition():
            if not self._queue or self._queue[0].at > until:
                self.now = until
                return condition()
            self.step()
        return True

    def step(self) -> None:
        """The next event."""
        event = heapq.heappop(self._queue)
        self.now = event.at
        self.steps += 1
        event.action()
        self.after_step()


class Future(Generic[T]):
    """A result that is not there yet. The first one counts."""

    def __init__(self) -> None:
        self.done = False
        self._result: T | None = None
        self._error: BaseException | None = None
        self._callbacks: list[Action] = []

    def resolve(self, result: T) -> None:
        """Here it is."""
        self._finish(result, None)

    def fail(self, error: BaseException) -> None:
        """There is none."""
        self._finish(None, error)

    def when_done(self, action: Action) -> None:
        """Call when there is a result, or now."""
        if self.done:
            action()
        else:
            self._callbacks.append(action)

    def result(self) -> T:
        """The result. Raises what it failed with."""
        assert self.done
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value] # None is a result where T allows it

    def _finish(self, result: T | None, error: BaseException | None) -> None:
        if self.done:
            return
        self.done, self._result, self._error = True, result, error
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def __await__(self) -> "Generator[Future[Any], None, T]":
        if not self.done:
            yield self
        return self.result()


class Process:
    """What runs, freezes, goes on and crashes as one."""

    def __init__(self, sim: Simulation, name: str) -> None:
        self.sim = sim
        self.name = name
        self.alive = True
        self.frozen = False
        self._held: list[Action] = []
        self._tasks: dict[Coroutine[Any, Any, Any], None] = {}

    @property
    def runs(self) -> bool:
        """Whether it does anything now."""
        return self.alive and not self.frozen

    @property
    def now(self) -> float:
        """Its monotonic clock, which goes on while it is frozen."""
        return self.sim.now

    def crash(self) -> None:
        """Kill -9."""
        self.alive = False
        self._held.clear()
        tasks, self._tasks = self._tasks, {}
        for task in tasks:
            task.close()

    def freeze(self) -> None:
        """SIGSTOP."""
        self.frozen = True

    def resume(self) -> None:
        """SIGCONT: what fell due happens now, in its order."""
        self.frozen = False
        held, self._held = self._held, []
        for action in held:
            self.later(0.0, action)

    def later(self, delay: float, action: Action) -> None:
        """Have this process do something."""
        self.sim.at(delay, lambda: self._act(action))

    def _act(self, action: Action) -> None:
        if not self.alive:
            return
        if self.frozen:
            self._held.append(action)
            return
        action()

    # ---- coroutines

    def spawn(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine as a task of this process."""
        outcome: Future[T] = Future()
        if not self.alive:
            work.close()
            return outcome
        self._tasks[work] = None
        self._step(work, outcome)
        return outcome

    def _step(self, work: Coroutine[Any, Any, T], outcome: Future[T]) -> None:
        if work not in self._tasks:
            return
        try:
            awaited: Future[Any] = work.send(None)
        except StopIteration as stop:
            self._tasks.pop(work, None)
            outcome.resolve(stop.value)
        except EXPECTED as error:
            self._tasks.pop(work, None)
            outcome.fail(error)
        else:
            awaited.when_done(lambda: self.later(0.0, lambda: self._step(work, outcome)))

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        timer: Future[None] = Future()
        self.later(seconds, lambda: timer.resolve(None))
        await timer

    async def within(self, seconds: float, wanted: Future[T]) -> T:
        """Wait for a result. Raises TimeoutError."""
        first: Future[None] = Future()
        wanted.when_done(lambda: first.resolve(None))
        self.later(seconds, lambda: first.resolve(None))
        await first
        if not wanted.done:
            raise TimeoutError
        return wanted.result()

    def every(self, seconds: float, action: Action) -> None:
        """Do something now and again and again."""

        def act() -> None:
            action()
            self.later(seconds, act)

        self.later(0.0, act)
