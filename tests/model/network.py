"""The network between processes, and NATS on it.

Hosts have the names of what runs there. A direct path is a client's to a node or to signaling, and a probe's; everything
else goes by NATS. NATS keeps neither order nor single delivery here, which is worse than the real one; presence reports and
heartbeats are lost only with a connection, as over TCP, since leases are made for that.
"""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from model.chance import Chance
from model.sim import Action, Future, Process, Simulation
from salon_common.errors import Code, SalonError

R = TypeVar("R")

Handler = Callable[[Any], Awaitable[Any]]
NATS = "nats"
NO_RESPONDERS = "no responders"
NO_ANSWER = "no answer in time"


@dataclass(frozen=True)
class Weather:
    """How bad the network is, where nothing is broken."""

    fastest: float = 0.0005
    slowest: float = 0.005
    one_slow_in: int = 0
    """One message in so many takes up to `slow`; 0 for none."""
    slow: float = 0.3
    one_doubled_in: int = 0
    one_lost_in: int = 0


CALM = Weather()
ROUGH = Weather(one_slow_in=20, one_doubled_in=25, one_lost_in=150)


class Network:
    """Which host reaches which, and how long it takes."""

    def __init__(self, sim: Simulation, chance: Chance, weather: Weather) -> None:
        self.weather = weather
        self._sim = sim
        self._chance = chance
        self._cut: set[str] = set()
        self._severed: set[frozenset[str]] = set()

    def cut(self, host: str) -> None:
        """Drop everything from and to a host: no reset, no ICMP."""
        self._cut.add(host)

    def mend(self, host: str) -> None:
        """Undo `cut`, and every `sever` of this host."""
        self._cut.discard(host)
        self._severed = {pair for pair in self._severed if host not in pair}

    def sever(self, one: str, other: str) -> None:
        """Drop everything between two hosts."""
        self._severed.add(frozenset((one, other)))

    def reaches(self, one: str, other: str) -> bool:
        """Whether packets go from one to the other."""
        return not (
            one in self._cut
            or other in self._cut
            or (bool(self._severed) and frozenset((one, other)) in self._severed)
        )

    def delay(self) -> float:
        """How long one message takes."""
        weather = self.weather
        if weather.one_slow_in and self._chance.pick(weather.one_slow_in) == 1:
            return weather.slow * self._chance.fraction()
        return weather.fastest + (weather.slowest - weather.fastest) * self._chance.fraction()

    def copies(self, *, lossy: bool) -> int:
        """How often one message arrives."""
        weather = self.weather
        if lossy and weather.one_lost_in and self._chance.pick(weather.one_lost_in) == 1:
            return 0
        return 2 if weather.one_doubled_in and self._chance.pick(weather.one_doubled_in) == 1 else 1

    def send(self, sender: str, receiver: Process, action: Action, host: str = "") -> None:
        """Directly, as a datagram: it may be lost on the way."""
        host = host or receiver.name
        if self.reaches(sender, host):
            self._sim.at(self.delay(), lambda: self._arrive(sender, host, receiver, action))

    def _arrive(self, sender: str, host: str, receiver: Process, action: Action) -> None:
        if self.reaches(sender, host):
            receiver.later(0.0, action)


@dataclass(frozen=True)
class _Subscription:
    prefix: str
    process: Process
    handle: Callable[[Any], None]


class Nats:
    """The NATS server: connections, subjects, queue groups. Its store is `store`."""

    def __init__(self, sim: Simulation, network: Network, chance: Chance) -> None:
        self.up = True
        self.restarts = 0
        self._sim = sim
        self._network = network
        self._chance = chance
        self._subscriptions: list[_Subscription] = []
        self._services: dict[str, list[tuple[Process, dict[str, Handler]]]] = {}
        self._on_reconnected: list[tuple[Process, Action]] = []
        self._broken: set[Process] = set()

    # ---- what processes do

    def connected(self, process: Process) -> bool:
        """Whether a process's messages get through now."""
        return (
            self.up
            and process.alive
            and process not in self._broken
            and self._network.reaches(process.name, NATS)
        )

    def subscribe(self, process: Process, prefix: str, handle: Callable[[Any], None]) -> None:
        """Hear all subjects that begin so."""
        self._subscriptions.append(_Subscription(prefix, process, handle))

    def unsubscribe(self, process: Process, prefix: str) -> None:
        """Hear them no more."""
        self._subscriptions = [
            each for each in self._subscriptions if each.process is not process or each.prefix != prefix
        ]

    def on_reconnected(self, process: Process, action: Action) -> None:
        """Call when the process's connection is back."""
        self._on_reconnected.append((process, action))

    def publish(self, sender: Process, subject: str, message: Any, *, lossy: bool = True) -> bool:
        """To all who subscribe; False when the sender's connection is down."""
        if not self.connected(sender):
            return False
        self._fan_out(subject, message, lossy=lossy)
        return True

    def republish(self, subject: str, message: Any) -> None:
        """What was stored goes to all who subscribe."""
        self._fan_out(subject, message, lossy=True)

    def serve(self, process: Process, service: str, methods: dict[str, Handler]) -> None:
        """Answer calls; several processes of one service share them."""
        self._services.setdefault(service, []).append((process, methods))

    async def call(self, caller: Process, service: str, method: str, request: Any, timeout: float) -> Any:
        """A call. Raises SalonError: the callee's own, UNAVAILABLE, DEADLINE_EXCEEDED."""
        if not self.connected(caller):
            raise SalonError(Code.UNAVAILABLE, "NATS is away")
        there = [each for each in self._services.get(service, []) if self._listens(each[0])]
        if not there:
            await caller.sleep(self._network.delay())
            raise SalonError(Code.UNAVAILABLE, NO_RESPONDERS)
        callee, methods = there[self._chance.pick(len(there))]
        answer: Future[Any] = Future()
        for _ in range(self._network.copies(lossy=True)):
            self._pass(caller, callee, lambda: self._answer(caller, callee, methods[method](request), answer))
        try:
            return await caller.within(timeout, answer)
        except TimeoutError:
            raise SalonError(Code.DEADLINE_EXCEEDED, NO_ANSWER) from None

    # ---- what happens to it

    def disconnected(self, process: Process) -> None:
        """The connection of a process ended: a system event says so. Its subscriptions end with it."""
        self._fan_out(f"disconnect.{process.name}", process, lossy=False)

    def forget(self, process: Process) -> None:
        """A process is gone for good."""
        self._subscriptions = [each for each in self._subscriptions if each.process is not process]
        self._on_reconnected = [each for each in self._on_reconnected if each[0] is not process]
        for served in self._services.values():
            served[:] = [each for each in served if each[0] is not process]

    def stop(self) -> None:
        """NATS goes away, and everybody's connection with it."""
        self.up = False

    def start(self) -> None:
        """NATS is back; everybody connects again within a second, and each is told as having been away."""
        self.up = True
        self.restarts += 1
        for process in dict.fromkeys(each.process for each in self._subscriptions):
            self._broken.add(process)
            self.disconnected(process)
            process.later(self._chance.fraction(), partial(self.reconnect, process))

    def reconnect(self, process: Process) -> None:
        """A process's connection is back."""
        self._broken.discard(process)
        for each, action in list(self._on_reconnected):
            if each is process:
                process.later(0.0, action)

    # ---- inside

    def _listens(self, process: Process) -> bool:
        """A frozen process, and one that was cut off just now, are still subscribed."""
        return process.alive and process not in self._broken

    def _fan_out(self, subject: str, message: Any, *, lossy: bool) -> None:
        for each in self._subscriptions:
            if subject.startswith(each.prefix) and self.connected(each.process):
                for _ in range(self._network.copies(lossy=lossy)):
                    self._to(each.process, partial(each.handle, message))

    def _pass(self, sender: Process, receiver: Process, action: Action) -> None:
        if self.connected(sender) and self.connected(receiver):
            self._to(receiver, action)

    def _to(self, receiver: Process, action: Action) -> None:
        self._sim.at(self._network.delay(), lambda: self._arrive(receiver, action))

    def _arrive(self, receiver: Process, action: Action) -> None:
        if self.connected(receiver):
            receiver.later(0.0, action)

    def _answer(self, caller: Process, callee: Process, work: Awaitable[Any], answer: Future[Any]) -> None:
        task = callee.spawn(_awaited(work))

        def send_back() -> None:
            def arrive() -> None:
                try:
                    answer.resolve(task.result())
                except SalonError as error:
                    answer.fail(error)

            self._pass(callee, caller, arrive)

        task.when_done(send_back)


def _awaited(work: Awaitable[R]) -> Coroutine[Any, Any, R]:
    async def run() -> R:
        return await work

    return run()
