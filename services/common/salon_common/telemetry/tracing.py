"""OpenTelemetry traces: which call led to which, over all services. Off, and free, until `start` was called.

A trace travels as W3C `traceparent` in the metadata of calls, whatever the transport. Attributes are names of the code and
numbers; what people wrote, tokens and texts of errors stay out. Who calls from outside may name the trace, and whether it is
kept is decided here, by its id.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import Context
from typing import TYPE_CHECKING, Any, TypeAlias

from salon_common.errors import SalonError

if TYPE_CHECKING:  # imported at run time by `start` alone: a process without traces does not pay for it
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.sampling import Sampler
    from opentelemetry.trace import Tracer

TRACEPARENT = "traceparent"
EXPORT_SECONDS = 3.0
"""How long a collector may take; spans wait meanwhile, a bounded number of them."""

Origin: TypeAlias = Any
"""What a span follows from: `captured` here, or `received` with a call; None for nothing."""
Pairs: TypeAlias = tuple[tuple[str, str | bytes], ...]
"""A call's metadata."""
Attributes: TypeAlias = Mapping[str, str | int]


class _Tracing:
    """What is there when traces are on."""

    def __init__(self, provider: "TracerProvider") -> None:
        from opentelemetry import context, trace
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self.api = trace
        self.context = context
        self.provider = provider
        self.tracer: Tracer = provider.get_tracer("salon")
        self.propagator = TraceContextTextMapPropagator()

    @contextmanager
    def span(self, name: str, kind: str, origins: Sequence[Origin], attributes: Attributes) -> Iterator[None]:
        """A span under the first origin, linked to the others."""
        parent, *others = origins or (self.context.Context(),)
        links = [self.api.Link(self.api.get_current_span(other).get_span_context()) for other in others]
        with self.tracer.start_as_current_span(
            name,
            context=parent,
            kind=self.api.SpanKind[kind],
            attributes=attributes,
            links=links,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except BaseException as error:
                outcome = error.code.name if isinstance(error, SalonError) else type(error).__name__
                span.set_attribute("error.type", outcome)
                span.set_status(self.api.StatusCode.ERROR)
                raise


_tracing: _Tracing | None = None


def start(service: str, region: str, endpoint: str, ratio: float) -> None:
    """Send spans to a collector by OTLP over HTTP, of so many of the traces."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": f"salon-{service}", "salon.region": region})
    provider = TracerProvider(sampler=_sampler(service, ratio), resource=resource, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=endpoint, timeout=EXPORT_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=1000))
    global _tracing
    _tracing = _Tracing(provider)


async def stop() -> None:
    """Send what waits, and trace no more."""
    global _tracing
    stopped, _tracing = _tracing, None
    if stopped is not None:
        await asyncio.to_thread(stopped.provider.shutdown)


def _sampler(service: str, ratio: float) -> "Sampler":
    """By the trace's id. Inside, what signaling decided holds."""
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

    by_id = TraceIdRatioBased(ratio)
    if service == "signaling":
        return ParentBased(by_id, remote_parent_sampled=by_id, remote_parent_not_sampled=by_id)
    return ParentBased(by_id)


def span(
    name: str, kind: str = "INTERNAL", origins: Sequence[Origin] = (), **attributes: str | int
) -> AbstractContextManager[None]:
    """What happens in the block is a span, which follows from `origins`; of several, the first is its parent."""
    if _tracing is None:
        return nullcontext()
    known = [origin for origin in origins if origin is not None]
    return _tracing.span(name, kind, known, attributes)


def captured() -> Origin:
    """What runs here now, for a span that somebody else makes of it."""
    return _tracing.context.get_current() if _tracing is not None else None


def received(metadata: Pairs) -> Origin:
    """What a call says that it follows from."""
    if _tracing is None:
        return None
    carrier = {key: value for key, value in metadata if key == TRACEPARENT and isinstance(value, str)}
    return _tracing.propagator.extract(carrier, context=_tracing.context.Context())


def sent() -> Pairs:
    """What a call's metadata says that it follows from."""
    if _tracing is None:
        return ()
    carrier: dict[str, str] = {}
    _tracing.propagator.inject(carrier)
    return tuple((key, value) for key, value in carrier.items() if key == TRACEPARENT)


def trace_id() -> str:
    """The trace of what runs here now, if it is kept; else empty."""
    if _tracing is None:
        return ""
    current = _tracing.api.get_current_span().get_span_context()
    return f"{current.trace_id:032x}" if current.trace_flags.sampled else ""


def exemplar() -> dict[str, str] | None:
    """For a histogram's `observe`: leads from a bucket to a trace."""
    found = trace_id()
    return {"trace_id": found} if found else None


def untraced() -> Context:
    """For what lives longer than the call that begins it: `asyncio.create_task(…, context=untraced())`."""
    return Context()
