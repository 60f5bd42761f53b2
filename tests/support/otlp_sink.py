"""A collector of traces for tests: takes OTLP over HTTP and keeps the spans."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Span:
    """What a test asks of a span."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    links: tuple[str, ...]
    """The spans that it also follows from."""
    attributes: dict[str, str]


class OtlpSink:
    """What has come so far."""

    def __init__(self, port: int) -> None:
        self.endpoint = f"http://127.0.0.1:{port}/v1/traces"
        self.raw = b""
        """Every byte of every request."""
        self._spans: list[Span] = []

    def take(self, body: bytes) -> None:
        """A request has come."""
        self.raw += body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = next(
                item.value.string_value for item in resource.resource.attributes if item.key == "service.name"
            )
            for scope in resource.scope_spans:
                self._spans += [
                    Span(
                        service,
                        span.name,
                        span.trace_id.hex(),
                        span.span_id.hex(),
                        span.parent_span_id.hex(),
                        tuple(link.span_id.hex() for link in span.links),
                        {item.key: item.value.string_value for item in span.attributes},
                    )
                    for span in scope.spans
                ]

    def named(self, name: str) -> list[Span]:
        """The spans of a name, in the order they came."""
        return [span for span in self._spans if span.name == name]

    def chain(self, span: Span) -> list[str]:
        """The names from the trace's first span to this one."""
        parent = next((each for each in self._spans if each.span_id == span.parent_id), None)
        return [*(self.chain(parent) if parent else []), span.name]


@contextmanager
def otlp_sink() -> Iterator[OtlpSink]:
    """A collector on loopback, for the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sink.take(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base
            """Not into the test's output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sink = OtlpSink(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield sink
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
