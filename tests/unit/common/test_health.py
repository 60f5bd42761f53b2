"""The health port's answers, by its ASGI app; the port itself once."""

import json
import urllib.request
from asyncio import to_thread
from collections.abc import MutableMapping, Sequence
from typing import Any

from prometheus_client import REGISTRY, Counter, Histogram
from salon_common.health import HealthServer


async def ask(
    server: HealthServer, path: str, method: str = "GET", headers: Sequence[tuple[bytes, bytes]] = ()
) -> tuple[int, bytes]:
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async def receive() -> MutableMapping[str, Any]:
        raise AssertionError("the request's body is nobody's business")

    await server._app({"type": "http", "method": method, "path": path, "headers": headers}, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


async def test_alive_whatever_the_checks_say() -> None:
    server = HealthServer("127.0.0.1:0")
    server.add_check("nats", lambda: False)
    assert await ask(server, "/livez") == (200, b"alive\n")


async def test_ready_when_every_check_holds() -> None:
    server = HealthServer("127.0.0.1:0")
    state = {"nats": True, "engine": False}
    server.add_check("nats", lambda: state["nats"])
    server.add_check("engine", lambda: state["engine"])
    status, body = await ask(server, "/readyz")
    assert (status, json.loads(body)) == (
        503,
        {"ready": False, "checks": {"nats": True, "engine": False}, "information": {}},
    )
    state["engine"] = True
    assert (await ask(server, "/readyz"))[0] == 200


async def test_information_is_told_and_nothing_depends_on_it() -> None:
    server = HealthServer("127.0.0.1:0")
    server.add_check("started", lambda: True)
    server.add_information("nats", lambda: False)
    status, body = await ask(server, "/readyz")
    assert (status, json.loads(body)) == (
        200,
        {"ready": True, "checks": {"started": True}, "information": {"nats": False}},
    )


async def test_a_service_adds_pages_of_its_own() -> None:
    server = HealthServer("127.0.0.1:0")
    assert (await ask(server, "/sd/media"))[0] == 404
    server.add_route("/sd/media", lambda: [{"targets": []}])
    assert await ask(server, "/sd/media") == (200, b'[{"targets": []}]')
    assert b"/sd/media" in (await ask(server, "/"))[1]


async def test_a_check_that_raises_does_not_hold() -> None:
    server = HealthServer("127.0.0.1:0")
    server.add_check("odd", lambda: 1 // 0 == 1)
    assert (await ask(server, "/readyz"))[0] == 503


async def test_metrics_are_prometheus_text() -> None:
    counter = Counter("salon_test_things_total", "Things.")
    counter.inc(3)
    status, body = await ask(HealthServer("127.0.0.1:0"), "/metrics")
    REGISTRY.unregister(counter)
    assert status == 200
    assert b"\nsalon_test_things_total 3.0\n" in body


async def test_who_asks_for_openmetrics_gets_it_with_exemplars() -> None:
    histogram = Histogram("salon_test_seconds", "Times.", buckets=(1,))
    histogram.observe(0.5, {"trace_id": "abc"})
    headers = [(b"accept", b"application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.3")]
    _, text = await ask(HealthServer("127.0.0.1:0"), "/metrics")
    _, openmetrics = await ask(HealthServer("127.0.0.1:0"), "/metrics", headers=headers)
    REGISTRY.unregister(histogram)
    assert b'trace_id="abc"' in openmetrics
    assert openmetrics.endswith(b"# EOF\n")
    assert b"trace_id" not in text


async def test_other_paths_and_methods() -> None:
    server = HealthServer("127.0.0.1:0")
    assert (await ask(server, "/"))[0] == 404
    assert (await ask(server, "/livez", "POST"))[0] == 405
    assert await ask(server, "/livez", "HEAD") == (200, b"")


async def test_it_listens() -> None:
    server = HealthServer("127.0.0.1:0")
    port = await server.start()

    def fetch() -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/livez") as response:
            return bytes(response.read())

    assert await to_thread(fetch) == b"alive\n"
    await server.stop()
    await server.stop()


async def test_answers_name_the_incarnation_that_has_one() -> None:
    server = HealthServer("127.0.0.1:0", boot_id="b00t")
    port = await server.start()
    try:
        for path in ("livez", "metrics"):
            with await to_thread(urllib.request.urlopen, f"http://127.0.0.1:{port}/{path}") as answer:
                assert answer.headers["salon-boot-id"] == "b00t"
    finally:
        await server.stop()
