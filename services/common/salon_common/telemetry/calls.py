"""Measures and traces calls to other services."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

from salon_common.errors import Code, SalonError
from salon_common.telemetry import metrics, tracing


@contextmanager
def client_call(service: str, method: str) -> Iterator[None]:
    """Count what happens in the block as one call, by how it ends."""
    began, code = time.perf_counter(), Code.OK
    exemplar = None
    try:
        with tracing.span(f"call {service}/{method}", "CLIENT", [tracing.captured()]):
            exemplar = tracing.exemplar()
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
        seconds = time.perf_counter() - began
        metrics.CALLED_SECONDS.labels(service, method, code.name).observe(seconds, exemplar)
