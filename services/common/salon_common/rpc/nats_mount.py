"""Mounts a registry on NATS request and reply, for calls between services. Unary only."""

import asyncio
import logging
from collections.abc import Mapping

import nats.errors
from google.protobuf.message import DecodeError, Message
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from salon_common.errors import Code, SalonError
from salon_common.nats import SUBSCRIPTION_BYTES, SUBSCRIPTION_MESSAGES
from salon_common.rpc import nats_wire
from salon_common.rpc.calls import Calls, internal
from salon_common.rpc.context import CallContext
from salon_common.rpc.limits import MAX_UNARY, check_size
from salon_common.rpc.metadata import Pairs
from salon_common.rpc.registry import Method, ServiceRegistry

_log = logging.getLogger(__name__)

MAX_TIMEOUT = 30.0
"""Seconds that a handler may take, however patient the caller is."""


class NatsMount:
    """Answers calls to this replica's queue group, or with `node` to this node alone. The connection stays the caller's."""

    def __init__(
        self,
        nc: Client,
        registry: ServiceRegistry,
        *,
        region: str,
        node: str | None = None,
        max_unary: int = MAX_UNARY,
    ) -> None:
        self._nc = nc
        self._services = {
            nats_wire.prefix(region, name, node): methods for name, methods in registry.services.items()
        }
        self._queue = "rpc" if node is None else ""
        self._calls = Calls("nats", max_unary=max_unary)
        self._max_tasks = 2 * max_unary  # those over the bound still get their answers as tasks
        self._requests: list[Subscription] = []
        self._cancels: list[Subscription] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._by_call_id: dict[str, asyncio.Task[None]] = {}
        self._stopping = False

    async def start(self) -> None:
        """Subscribe; when this returns, calls reach this process."""
        for prefix, methods in self._services.items():
            cancels = nats_wire.cancel_subject(prefix, "*")
            self._cancels.append(await self._nc.subscribe(cancels, cb=self._on_cancel))
            self._requests.append(await self._subscribe(prefix, methods))
        await self._nc.flush()

    async def stop(self, grace: float = 3.0) -> None:
        """Unsubscribe, let handlers finish for `grace` seconds, then cancel them: their callers hear UNAVAILABLE."""
        await _unsubscribe(self._requests)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace)
        self._stopping = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await _unsubscribe(self._cancels)

    async def _subscribe(self, prefix: str, methods: Mapping[str, Method]) -> Subscription:
        async def on_request(msg: Msg) -> None:
            if not msg.reply or len(self._tasks) >= self._max_tasks:
                return  # nobody waits, or so many that this one's deadline is the answer
            task = asyncio.create_task(self._serve(msg, methods))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return await self._nc.subscribe(
            f"{prefix}.*",
            queue=self._queue,
            cb=on_request,
            pending_msgs_limit=SUBSCRIPTION_MESSAGES,
            pending_bytes_limit=SUBSCRIPTION_BYTES,
        )

    async def _on_cancel(self, msg: Msg) -> None:
        task = self._by_call_id.get(msg.subject.rpartition(".")[2])
        if task is not None:
            task.cancel()

    async def _serve(self, msg: Msg, methods: Mapping[str, Method]) -> None:
        """Run one call and answer it, unless the caller went away."""
        context: CallContext | None = None
        outcome: Message | SalonError
        try:
            head = nats_wire.read_request(msg.headers or {})
            context = CallContext(
                peer=f"nats:{head.caller}", invocation=head.metadata, timeout=min(head.timeout, MAX_TIMEOUT)
            )
            outcome = await self._run(msg, methods, context, head.call_id)
        except SalonError as error:
            outcome = error
        except asyncio.CancelledError:
            if not self._stopping:
                raise
            outcome = SalonError(
                Code.UNAVAILABLE, "this replica shuts down; it may have happened all the same"
            )
        except Exception as error:  # noqa: BLE001 - our own bug must not leave the caller without an answer
            outcome = internal(error, subject=msg.subject)
        await self._answer(msg, outcome, context.trailing if context else ())

    async def _run(
        self, msg: Msg, methods: Mapping[str, Method], context: CallContext, call_id: str
    ) -> Message:
        method, request = _read(msg, methods)
        task = asyncio.current_task()
        assert task is not None
        self._by_call_id[call_id] = task
        scope = asyncio.timeout_at(context.deadline)
        try:
            async with scope:
                return await self._calls.unary(method, request, context)
        except TimeoutError as error:
            raise SalonError(Code.DEADLINE_EXCEEDED, f"{method.path}: not done in time") from error
        finally:
            del self._by_call_id[call_id]

    async def _answer(self, msg: Msg, outcome: Message | SalonError, trailing: Pairs) -> None:
        try:
            headers = nats_wire.write_answer(outcome if isinstance(outcome, SalonError) else None, trailing)
        except SalonError as error:
            outcome, headers = error, nats_wire.write_answer(error, ())
        payload = b"" if isinstance(outcome, SalonError) else outcome.SerializeToString()
        try:
            await self._nc.publish(msg.reply, payload, headers=headers)
        except nats.errors.Error as lost:
            _log.warning("an answer was lost: %s", lost, extra={"subject": msg.subject})


def _read(msg: Msg, methods: Mapping[str, Method]) -> tuple[Method, Message]:
    """The method and its request. Raises SalonError."""
    name = msg.subject.rpartition(".")[2]
    method = methods.get(name)
    if method is None:
        raise SalonError(Code.UNIMPLEMENTED, f"{name:.64}: no such method here")
    check_size("request", len(msg.data))
    try:
        return method, method.request.FromString(msg.data)
    except DecodeError as error:
        raise SalonError(
            Code.INVALID_ARGUMENT, f"request: not a {method.request.DESCRIPTOR.full_name}"
        ) from error


async def _unsubscribe(subscriptions: list[Subscription]) -> None:
    """Take no new messages, but all that arrived; without a connection there is nothing to take."""
    while subscriptions:
        try:
            async with asyncio.timeout(2.0):
                await subscriptions.pop().drain()  # type: ignore[no-untyped-call]
        except (nats.errors.Error, TimeoutError) as error:
            _log.info("unsubscribing without NATS: %s", error)
