"""What every service counts, for Prometheus: its calls, its connection to NATS and its event loop.

No label grows with rooms or people: services, methods and codes are those of the code.
"""

from importlib.metadata import version

from prometheus_client import Counter, Gauge, Histogram

_CALL_SECONDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3)

BUILD = Gauge(
    "salon_build_info", "1; its labels say which service runs here, and its version.", ["service", "version"]
)

SERVED_SECONDS = Histogram(
    "salon_rpc_server_seconds",
    "Time that calls took here, by status code. A stream's is its whole life.",
    ["service", "method", "transport", "code"],
    buckets=_CALL_SECONDS,
)
SERVED_NOW = Gauge(
    "salon_rpc_server_running",
    "Calls that run here now, open streams included.",
    ["service", "method", "transport"],
)
CALLED_SECONDS = Histogram(
    "salon_rpc_client_seconds",
    "Time until calls to other services were answered, by status code.",
    ["service", "method", "code"],
    buckets=_CALL_SECONDS,
)

NATS_CONNECTED = Gauge("salon_nats_connected", "1 while there is a connection to NATS.")
NATS_RECONNECTS = Counter("salon_nats_reconnects_total", "Times that the connection to NATS came back.")
NATS_ROUND_TRIP = Gauge(
    "salon_nats_round_trip_seconds",
    "How long NATS took to answer the last ping; not a number while it is away.",
)

LOOP_LAG_SECONDS = Histogram(
    "salon_event_loop_lag_seconds",
    "How late the event loop ran what was due, looked at several times a second.",
    buckets=(0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5),
)


def set_build(service: str) -> None:
    """Say which service this process is."""
    BUILD.labels(service, version("salon-common")).set(1)
