"""Measures and traces calls to other services, and tells how whatever else ended."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from salon_common.errors import Code, SalonError
from salon_common.telemetry import metrics, tracing


@contextmanager
def told(tell: Callable[[Code], None]) -> Iterator[None]:
    """Tell by which code the block ended. What it raises goes on."""
    code = Code.OK
    try:
        yield
    except SalonError as error:
        code = error.code
        raise
    except asyncio.CancelledError:
        code = Code.CANCELLED
        raise
    except Exception:
        code = Code.INTERNAL
        raise
    finally:
        tell(code)


@contextmanager
def client_call(service: str, method: str) -> Iterator[None]:
    """Count what happens in the block as one call, by how it ends."""
    began = time.perf_counter()
    exemplar = None

    def count(code: Code) -> None:
        seconds = time.perf_counter() - began
        metrics.CALLED_SECONDS.labels(service, method, code.name).observe(seconds, exemplar)

    with told(count), tracing.span(f"call {service}/{method}", "CLIENT", [tracing.captured()]):
        exemplar = tracing.exemplar()
        yield
